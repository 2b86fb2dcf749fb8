/** HTML as Markdown, in bounded time and memory. */
import { Worker } from "node:worker_threads";

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_HEAP_MB = 256;
/** The threads of the whole server: each takes a processor. */
const MAX_THREADS = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** @throws the signal's reason, and when the page takes too long or too much. */
export async function toMarkdown(
  html: string,
  signal: AbortSignal,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<string> {
  while (running >= MAX_THREADS) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    signal.throwIfAborted();
    const { title, body } = await convert(html, signal, timeoutMs);
    return title === "" || body.includes(`# ${title}`) ? body : `# ${title}\n\n${body}`;
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

interface Converted {
  readonly title: string;
  readonly body: string;
}

async function convert(html: string, signal: AbortSignal, timeoutMs: number): Promise<Converted> {
  const worker = new Worker(new URL("./html-worker.js", import.meta.url), {
    workerData: html,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  try {
    return await new Promise((resolve, reject) => {
      const fail = () => reject(new Error("The page could not be converted; fetch it with raw."));
      const timer = setTimeout(fail, timeoutMs);
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      worker.once("message", resolve).once("error", fail);
      worker.once("exit", () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        fail();
      });
    });
  } finally {
    await worker.terminate();
  }
}
