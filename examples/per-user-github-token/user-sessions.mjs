/**
 * Sessions that belong to users: their models, quota and policies are those of the user's own token.
 *
 * @param {import("@github/copilot-sdk").CopilotClient} client in mode "empty"
 * @typedef {{ id: string, gitHubToken: string }} User `id`: from your authentication, without a hyphen
 */
export function createUserSessions(client) {
  /** The user's id is a part of the session's: nobody can name a session of somebody else. */
  const toSessionId = (user, chatId) => {
    if (!/^[A-Za-z0-9_]+$/.test(user.id)) throw new Error("a user id has letters, digits and _ only");
    return `${user.id}-${chatId}`;
  };

  return {
    /**
     * The token is never stored with the session: it is given each time, when the session is created
     * and when it is resumed.
     *
     * @param {User} user
     * @returns the session; rejects when GitHub refuses the token
     */
    async open(user, chatId, { model } = {}) {
      const sessionId = toSessionId(user, chatId);
      const config = { model, gitHubToken: user.gitHubToken, availableTools: ["custom:*"] };
      const known = await client.getSessionMetadata(sessionId);
      return known ? client.resumeSession(sessionId, config) : client.createSession({ ...config, sessionId });
    },

    /** @param {User} user */
    remove: (user, chatId) => client.deleteSession(toSessionId(user, chatId)),
  };
}
