// node cleanup.mjs --older-than 30d [--prefix ada-] [--dry-run]: for cron or a Kubernetes CronJob.
import { parseArgs } from "node:util";
import { createClient } from "./connect.mjs";
import { deleteOldSessions } from "./delete-old-sessions.mjs";

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const { values } = parseArgs({
  options: { "older-than": { type: "string" }, prefix: { type: "string" }, "dry-run": { type: "boolean" } },
});
const age = /^(\d+)([smhd])$/.exec(values["older-than"] ?? "");
if (age === null) {
  console.error("--older-than: expected a number with s, m, h or d, such as 30d");
  process.exit(2);
}

const client = createClient();
await client.start();
try {
  const dryRun = values["dry-run"] ?? false;
  const maxAgeMs = Number(age[1]) * UNITS_MS[age[2]];
  const { kept, old, failed } = await deleteOldSessions(client, { maxAgeMs, dryRun, prefix: values.prefix });
  for (const sessionId of old) console.log(`${dryRun ? "would delete" : "deleted"} ${sessionId}`);
  for (const { sessionId, reason } of failed) console.error(`could not delete ${sessionId}: ${reason}`);
  console.log(`${old.length} ${dryRun ? "to delete" : "deleted"}, ${kept} kept, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
} finally {
  await client.stop();
}
