// node enqueue.mjs "How is order ORD-1001?": puts a job into the queue, while no worker has it open.
import { openQueue, QUEUE } from "./queue.mjs";

const question = process.argv[2] ?? "How is order ORD-1001?";
const queue = await openQueue(process.env.QUEUE_DIRECTORY ?? "queue-data");
console.log(await queue.boss.send(QUEUE, { question }));
await queue.close();
