import type { Checkpoint, EventLog, ReadRange, StoredLine } from "../event-log.ts";
import { assertValidKey, type Lease, notHeld, type SessionKey } from "../session-key.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint-file.ts";
import { isMissing, toStoreError } from "./errors.ts";
import type { FileHome } from "./file-home.ts";
import { readLines } from "./line-reader.ts";

/**
 * One file of lines a session, in the layout of the Copilot CLI.
 *
 * A batch is committed whole or not at all as far as any answer tells; a crash before the answer may
 * leave the first lines of a batch that was never acknowledged.
 */
export class FileEventLog implements EventLog {
  readonly #home: FileHome;

  constructor(home: FileHome) {
    this.#home = home;
  }

  append(lease: Lease, lines: readonly string[]): Promise<number> {
    const session = this.#home.held.get(lease);
    if (session?.generation !== lease.generation) return Promise.reject(notHeld(lease));
    return session.append(lines);
  }

  read(key: SessionKey, range: ReadRange = {}): AsyncIterable<readonly StoredLine[]> {
    assertValidKey(key);
    const committed = this.#home.held.get(key)?.end;
    return readLines({
      path: this.#home.logPath(key),
      sessionId: key.sessionId,
      from: Math.max(0, range.from ?? 0),
      to: range.to === undefined ? committed : Math.min(range.to, committed ?? range.to),
      log: this.#home.log,
      limit: this.#home.limit,
    });
  }

  async readCheckpoint(lease: Lease): Promise<Checkpoint | undefined> {
    const session = this.#home.sessionOf(lease);
    return this.#home.guard(`read the checkpoint of session ${lease.sessionId}`, () =>
      this.#home.limit(() =>
        readCheckpoint(this.#home.directory(lease), this.#home.logPath(lease), session.end),
      ),
    );
  }

  fileOf(key: SessionKey): string {
    assertValidKey(key);
    return this.#home.logPath(key);
  }

  async checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void> {
    const session = this.#home.sessionOf(lease);
    const isHeld = async () =>
      (await this.#home.host.lookForLease(session)) && this.#home.held.get(lease) === session;
    const written = await this.#home
      .limit(() => writeCheckpoint(this.#home.directory(lease), checkpoint, isHeld))
      .catch((error: unknown) => {
        if (isMissing(error)) return false;
        throw toStoreError(error, `write the checkpoint of session ${lease.sessionId}`);
      });
    if (!written) throw notHeld(lease);
  }
}
