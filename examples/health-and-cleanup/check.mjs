import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { runStory } from "../support/run-story.mjs";
import { startServer } from "../support/start-server.mjs";
import { checkHealth } from "./check-health.mjs";
import { createClient } from "./connect.mjs";

await runStory("health-and-cleanup", async ({ step, say, verify, defer, tempDir }) => {
  step("Start a runtime with three sessions; one is used again later");
  const secret = { COPILOT_CONNECTION_TOKEN: "a shared secret" };
  const runtime = await startServer({ home: await tempDir(), env: secret });
  defer(runtime.stop);
  const env = { CLI_URL: runtime.address, ...secret };
  const client = createClient(env);
  defer(() => client.forceStop());
  for (const sessionId of ["ada-1", "ada-2", "bob-1"]) await use(client, sessionId);
  const usedAt = Date.now();

  const run = async (script, args = [], runEnv = env) => {
    const { code, output } = await runScript(script, args, runEnv);
    for (const line of output.trim().split("\n")) say(`${script}: ${line}`);
    return { code, output };
  };

  step("Health");
  verify((await run("health.mjs")).code === 0, "a runtime that answers is healthy");
  const stranger = await run("health.mjs", [], {
    CLI_URL: runtime.address,
    COPILOT_CONNECTION_TOKEN: "wrong",
  });
  verify(stranger.code === 1, "with a wrong token it is not, and the reason is said");
  const stuck = createServer(() => {}).listen(0, "localhost");
  await new Promise((resolve) => stuck.once("listening", resolve));
  defer(() => stuck.close());
  const stuckEnv = { CLI_URL: `localhost:${stuck.address().port}` };
  const health = await checkHealth(() => createClient(stuckEnv), 300);
  say(JSON.stringify(health));
  verify(
    !health.healthy && health.reason === "no answer within 300 ms",
    "one that takes connections and never answers is not",
  );

  step("Clean-up");
  await new Promise((resolve) => setTimeout(resolve, usedAt + 6_100 - Date.now()));
  await use(client, "ada-2");
  const dryRun = await run("cleanup.mjs", ["--older-than", "6s", "--dry-run"]);
  verify(
    /would delete ada-1/.test(dryRun.output) && /2 to delete, 1 kept/.test(dryRun.output),
    "a dry run says what would go",
  );
  verify((await client.listSessions()).length === 3, "and deletes nothing");
  await use(client, "ada-2");
  await run("cleanup.mjs", ["--older-than", "6s", "--prefix", "ada-"]);
  const left = (await client.listSessions()).map(({ sessionId }) => sessionId).sort();
  say(`left: ${left.join(", ")}`);
  verify(
    left.join() === "ada-2,bob-1",
    "the session that was used again stays, and so does everybody else's",
  );
  verify((await run("cleanup.mjs", [])).code === 2, "a clean-up without an age is refused");

  step("The runtime goes away");
  await runtime.stop();
  verify((await run("health.mjs")).code === 1, "it is not healthy");
});

async function use(client, sessionId) {
  const config = { availableTools: ["custom:*"] };
  await client.start();
  const known = await client.getSessionMetadata(sessionId);
  const session = known
    ? await client.resumeSession(sessionId, config)
    : await client.createSession({ ...config, sessionId });
  await session.sendAndWait({ prompt: "My name is Ada." });
  await session.disconnect();
}

function runScript(script, args, env) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, ...args],
      { env: { PATH: process.env.PATH, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
      },
    );
  });
}
