import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { runStory } from "../support/run-story.mjs";
import { startProcess } from "../support/start-process.mjs";
import { startServer } from "../support/start-server.mjs";
import { openQueue, QUEUE } from "./queue.mjs";

const SCRIPT = fileURLToPath(new URL("worker.mjs", import.meta.url));

await runStory("background-worker", async ({ step, say, verify, defer, tempDir }) => {
  const home = await tempDir();
  const queueDirectory = join(await tempDir(), "queue");
  const port = await freePort();

  step("Put two jobs into the queue");
  const first = await openQueue(queueDirectory);
  const ids = [];
  for (const question of ["How is order ORD-1001?", "How is order ORD-1002?"]) {
    ids.push(await first.boss.send(QUEUE, { question }));
    say(`${ids.at(-1)}: ${question}`);
  }
  await first.close();

  step("Start a worker while the runtime is down, then start the runtime");
  const startWorker = (env) =>
    startProcess({
      script: SCRIPT,
      env: { CLI_URL: `localhost:${port}`, QUEUE_DIRECTORY: queueDirectory, ...env },
      ready: /waiting for jobs/,
    });
  const early = await startWorker({ LOOK_UP_MS: "60000" });
  defer(() => early.end("SIGKILL"));
  await until(() => /failed, to be tried again/.test(early.output()), "a failed attempt");
  const runtime = await startServer({ home, port });
  defer(runtime.stop);
  const client = new CopilotClient({ connection: RuntimeConnection.forUri(runtime.address), mode: "empty" });
  defer(() => client.forceStop());
  await client.start();
  await until(async () => (await client.listSessions()).length > 0, "a job in work");
  show(early, say);
  verify(
    /failed, to be tried again/.test(early.output()),
    "a job that fails goes back to the queue and is tried again",
  );

  step("Kill the worker in the middle of a job, and start another one");
  await early.end("SIGKILL");
  const late = await startWorker({});
  defer(() => late.end("SIGKILL"));
  await until(() => (late.output().match(/: done$/gm) ?? []).length === 2, "two jobs done");
  show(late, say);
  verify(/back in the queue: 1 job/.test(late.output()), "the job that was cut off is not lost");
  verify((await late.end("SIGTERM")).code === 0, "the worker ends in order on SIGTERM");

  step("Read the results");
  const last = await openQueue(queueDirectory);
  const jobs = await Promise.all(ids.map((id) => last.boss.getJobById(QUEUE, id)));
  await last.close();
  for (const job of jobs)
    say(`${job.data.question} ${job.state} after ${job.retryCount + 1} attempts: ${job.output.answer}`);
  verify(
    jobs.every((job) => job.state === "completed"),
    "both jobs are completed",
  );
  verify(
    jobs[0].output.answer.includes("arrives on Thursday"),
    "the first answer is made of what the tool said",
  );
  verify(jobs[1].output.answer.includes("waiting for payment"), "so is the second");
  verify(
    jobs.some((job) => job.retryCount > 0),
    "it took more than one attempt",
  );
});

function show(worker, say) {
  for (const line of worker.output().trim().split("\n")) say(line);
}

async function freePort() {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "localhost");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(check, what) {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited 20 s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
