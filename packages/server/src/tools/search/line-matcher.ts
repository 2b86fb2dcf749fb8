/**
 * Matches a model's regular expression against texts, in a thread of its own: JavaScript's take
 * exponential time for some patterns, which may cost a search but never the server.
 */
import { Worker } from "node:worker_threads";
import { ToolArgumentError } from "../tool-arguments.ts";
import type { GrepQuery } from "./grep-query.ts";

/** For one file. */
const MATCH_TIMEOUT_MS = 20_000;
/** For all files of a search together. */
const SEARCH_TIMEOUT_MS = 60_000;
const MAX_PATTERN_CHARACTERS = 4096;

/** As text, so that it needs no file of its own in a bundle. Answers each text with line numbers. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const pattern = new RegExp(workerData.source, workerData.flags);
function lineByLine(text) {
  const lines = text.split("\\n");
  if (lines[lines.length - 1] === "") lines.pop();
  const found = [];
  lines.forEach((line, index) => {
    if (pattern.test(line.endsWith("\\r") ? line.slice(0, -1) : line)) found.push(index + 1);
  });
  return found;
}
function acrossLines(text) {
  const found = new Set();
  let at = 0, line = 1;
  for (const match of text.matchAll(pattern)) {
    for (; at < match.index; at++) if (text[at] === "\\n") line++;
    const last = match[0].replace(/\\n$/, "").split("\\n").length - 1;
    for (let number = line; number <= line + last; number++) found.add(number);
  }
  return [...found];
}
parentPort.on("message", (text) => {
  parentPort.postMessage(workerData.multiline ? acrossLines(text) : lineByLine(text));
});
`;

export interface LineMatcher {
  /** The numbers of the lines that match, in order. One text at a time. @throws when it takes too long. */
  match(text: string): Promise<readonly number[]>;
  dispose(): Promise<void>;
}

/** @throws ToolArgumentError when the pattern is not understood. */
export function createLineMatcher(query: GrepQuery, signal: AbortSignal): LineMatcher {
  const workerData = { ...toRegExp(query), multiline: query.multiline };
  let worker: Worker | undefined;
  let leftMs = SEARCH_TIMEOUT_MS;
  return {
    async match(text) {
      signal.throwIfAborted();
      worker ??= startThread(workerData);
      const sinceMs = performance.now();
      const lines = await answerOf(worker, text, { signal, timeoutMs: Math.min(leftMs, MATCH_TIMEOUT_MS) });
      leftMs = Math.max(1, leftMs - (performance.now() - sinceMs));
      return lines;
    },
    async dispose() {
      await worker?.terminate();
    },
  };
}

function startThread(workerData: unknown): Worker {
  const worker = new Worker(THREAD, { eval: true, workerData, env: {} });
  // Between two texts nobody else listens, and an error without a listener ends the process.
  return worker.on("error", () => {});
}

function answerOf(
  worker: Worker,
  text: string,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const onAbort = () => settle(() => reject(signal.reason));
    const onMessage = (lines: readonly number[]) => settle(() => resolve(lines));
    const onError = (error: Error) => settle(() => reject(error));
    const timer = setTimeout(() => {
      onError(new Error("The pattern takes too long. Use a simpler one."));
    }, timeoutMs);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      worker.off("message", onMessage).off("error", onError);
      end();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    worker.on("message", onMessage).on("error", onError);
    worker.postMessage(text);
  });
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  word: "\\w",
  xdigit: "0-9a-fA-F",
};

/** What ripgrep writes differently, in JavaScript's syntax. */
function toRegExp(query: GrepQuery): { source: string; flags: string } {
  if (query.pattern.length > MAX_PATTERN_CHARACTERS)
    throw new ToolArgumentError(
      `"pattern" has ${query.pattern.length} characters; it may have ${MAX_PATTERN_CHARACTERS}`,
    );
  const [inline = "", named = ""] = /^\(\?([ims]+)\)/.exec(query.pattern) ?? [];
  const source = query.pattern
    .slice(inline.length)
    .replaceAll("(?P<", "(?<")
    .replace(/\[:(\w+):\]/g, (written, name: string) => CLASSES[name] ?? written)
    .replace(/\\A/g, "^")
    .replace(/\\z/g, "$");
  const flags = new Set(named + (query.ignoreCase ? "i" : "") + (query.multiline ? "gms" : ""));
  // In Unicode mode where it is valid: "." is a whole character there.
  const candidates = [`${[...flags].join("")}u`, [...flags].join("")];
  for (const candidate of candidates) {
    if (isRegExp(source, candidate)) return { source, flags: candidate };
  }
  throw new ToolArgumentError(`"pattern" is not a regular expression: ${query.pattern}`);
}

function isRegExp(source: string, flags: string): boolean {
  try {
    return Boolean(new RegExp(source, flags));
  } catch {
    return false;
  }
}
