import type { Checkpoint, EventLog, ReadRange, StoredLine } from "../event-log.ts";
import type { Lease, SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import type { MemoryNode } from "./memory-storage.ts";

const batchLines = 256;

/** Lists of lines; cursors count them. */
export class MemoryEventLog implements EventLog {
  readonly #node: MemoryNode;

  constructor(node: MemoryNode) {
    this.#node = node;
  }

  async append(lease: Lease, lines: readonly string[]): Promise<number> {
    const session = this.#node.owned(lease);
    for (const line of lines) {
      if (line.includes("\n")) throw new TypeError("a log line must not contain a newline");
    }
    for (const line of lines) session.lines.push(line);
    return session.lines.length;
  }

  read(key: SessionKey, range: ReadRange = {}): AsyncIterable<readonly StoredLine[]> {
    const lines = this.#node.storage.find(key)?.lines;
    const end = lines?.length ?? 0;
    return readBatches(key, lines, {
      from: Math.max(0, range.from ?? 0),
      to: Math.min(range.to ?? end, end),
    });
  }

  async readCheckpoint(lease: Lease): Promise<Checkpoint | undefined> {
    return this.#node.owned(lease).checkpoint;
  }

  fileOf(): undefined {}

  async checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void> {
    this.#node.owned(lease).checkpoint = checkpoint;
  }
}

async function* readBatches(
  key: SessionKey,
  lines: readonly string[] | undefined,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<readonly StoredLine[]> {
  if (!lines) throw new StoreError("not-found", `no session ${key.sessionId}`);
  for (let start = range.from; start < range.to; start += batchLines) {
    const batch = lines.slice(start, Math.min(start + batchLines, range.to));
    yield batch.map((json, at) => ({ json, cursor: start + at + 1 }));
  }
}
