/**
 * Deletes sessions that nobody has used for some time, for good. One that fails does not keep the
 * others from going.
 *
 * @param {import("@github/copilot-sdk").CopilotClient} client connected
 * @param {{ maxAgeMs: number, dryRun?: boolean, prefix?: string }} options `dryRun`: only say which; `prefix`: only
 * sessions whose id begins so
 * @returns {Promise<{ kept: number, old: string[], failed: { sessionId: string, reason: string }[] }>} `old`: deleted,
 * or to be deleted in a dry run
 */
export async function deleteOldSessions(client, { maxAgeMs, dryRun = false, prefix = "" }) {
  const sessions = (await client.listSessions()).filter(({ sessionId }) => sessionId.startsWith(prefix));
  const now = Date.now();
  const isOld = ({ modifiedTime, startTime }) => now - (modifiedTime ?? startTime).getTime() > maxAgeMs;
  const old = [];
  const failed = [];
  for (const { sessionId } of sessions.filter(isOld)) {
    try {
      if (!dryRun) await client.deleteSession(sessionId);
      old.push(sessionId);
    } catch (error) {
      failed.push({ sessionId, reason: error.message });
    }
  }
  return { kept: sessions.length - old.length - failed.length, old, failed };
}
