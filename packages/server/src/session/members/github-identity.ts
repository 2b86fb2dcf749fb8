/** The GitHub account of a session, as a client names it. */

/** Without secrets: safe to show. */
export interface GitHubIdentity {
  readonly type: "token" | "env" | "gh-cli" | "user";
  /** Address for people, such as `https://github.com`. */
  readonly host: string;
  readonly login?: string;
  /** The variable that the token came from. */
  readonly envVar?: string;
  /** GitHub's record of the user, as the client gave it. */
  readonly copilotUser?: Readonly<Record<string, unknown>>;
}
