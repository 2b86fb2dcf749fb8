// Takes jobs off the queue and answers each in a session of its own.
import { CopilotClient, defineTool, RuntimeConnection } from "@github/copilot-sdk";
import { openQueue, QUEUE } from "./queue.mjs";

const {
  CLI_URL = "localhost:4321",
  COPILOT_CONNECTION_TOKEN,
  MODEL,
  QUEUE_DIRECTORY = "queue-data",
} = process.env;
const ANSWER_DEADLINE_MS = 120_000;

const ORDERS = new Map([
  ["ORD-1001", "shipped on Monday, arrives on Thursday"],
  ["ORD-1002", "waiting for payment"],
]);

const lookUpOrder = defineTool("look_up_order", {
  description: "The state of an order",
  parameters: { type: "object", properties: { orderId: { type: "string" } }, required: ["orderId"] },
  skipPermission: true,
  handler: async ({ orderId }) => {
    await pause(Number(process.env.LOOK_UP_MS ?? 0));
    return ORDERS.get(orderId) ?? `there is no order ${orderId}`;
  },
});

/** What it returns is kept with the job; what it throws sends the job back to the queue. */
async function work(job) {
  console.log(`job ${job.id}: attempt ${job.retryCount + 1}`);
  const client = new CopilotClient({
    connection: RuntimeConnection.forUri(CLI_URL, { connectionToken: COPILOT_CONNECTION_TOKEN }),
    mode: "empty",
  });
  try {
    const session = await client.createSession({
      // An attempt never goes on with what another left half done, and its session stays for a look.
      sessionId: `job-${job.id}-${job.retryCount + 1}`,
      model: MODEL,
      tools: [lookUpOrder],
      availableTools: ["custom:*"],
    });
    const answer = await session.sendAndWait({ prompt: job.data.question }, ANSWER_DEADLINE_MS);
    if (!answer?.data.content) throw new Error("the turn ended without an answer");
    await client.stop();
    console.log(`job ${job.id}: done`);
    return { answer: answer.data.content, sessionId: session.sessionId };
  } catch (error) {
    console.log(`job ${job.id}: failed, to be tried again: ${error.message}`);
    throw error;
  } finally {
    await client.forceStop();
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const queue = await openQueue(QUEUE_DIRECTORY);
const interrupted = await queue.failInterrupted();
if (interrupted.length > 0) console.log(`back in the queue: ${interrupted.length} job(s) that were cut off`);
await queue.boss.work(QUEUE, { batchSize: 1, pollingIntervalSeconds: 0.5, includeMetadata: true }, ([job]) =>
  work(job),
);
console.log("worker is waiting for jobs");

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => queue.close());
