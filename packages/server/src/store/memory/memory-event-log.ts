import {
  type Checkpoint,
  type EventLog,
  type Lease,
  type ListQuery,
  type OpenedLog,
  type ReadRange,
  type SessionContext,
  type SessionKey,
  type SessionSummary,
  type StoredLine,
  StoreError,
} from "../event-log.ts";

const validName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const batchLines = 256;

interface MemorySession {
  readonly key: SessionKey;
  readonly lines: string[];
  summary: SessionSummary;
  checkpoint: Checkpoint | undefined;
  generation: number;
  owner: MemoryEventLog | undefined;
}

/** What several logs may share, as processes share a home directory. */
export class MemoryStorage {
  readonly sessions = new Map<string, MemorySession>();
}

export interface MemoryEventLogOptions {
  /** Default: a storage of its own. */
  readonly storage?: MemoryStorage;
}

/** A store that ends with the process. Cursors count lines. */
export class MemoryEventLog implements EventLog {
  readonly #storage: MemoryStorage;
  #decide: ((key: SessionKey) => Promise<boolean>) | undefined;

  constructor(options: MemoryEventLogOptions = {}) {
    this.#storage = options.storage ?? new MemoryStorage();
  }

  async create(key: SessionKey, summary: SessionSummary): Promise<Lease> {
    const name = toName(key);
    if (this.#storage.sessions.has(name)) {
      throw new StoreError("conflict", `session ${key.sessionId} exists already`);
    }
    const { tenant, sessionId } = key;
    const session: MemorySession = {
      key: { tenant, sessionId },
      lines: [],
      summary,
      checkpoint: undefined,
      generation: 1,
      owner: this,
    };
    this.#storage.sessions.set(name, session);
    return toLease(session);
  }

  async open(key: SessionKey): Promise<OpenedLog> {
    const session = this.#find(key);
    if (!session) throw new StoreError("not-found", `no session ${key.sessionId}`);
    await this.#askOwner(session);
    session.owner = this;
    session.generation++;
    const { checkpoint } = session;
    const opened = { lease: toLease(session), end: session.lines.length };
    return checkpoint ? { ...opened, checkpoint } : opened;
  }

  async append(lease: Lease, lines: readonly string[]): Promise<number> {
    const session = this.#owned(lease);
    for (const line of lines) {
      if (line.includes("\n")) throw new TypeError("a log line must not contain a newline");
    }
    for (const line of lines) session.lines.push(line);
    return session.lines.length;
  }

  read(key: SessionKey, range: ReadRange = {}): AsyncIterable<readonly StoredLine[]> {
    const session = this.#find(key);
    const end = session?.lines.length ?? 0;
    return readBatches(key, session?.lines, {
      from: Math.max(0, range.from ?? 0),
      to: Math.min(range.to ?? end, end),
    });
  }

  async readCheckpoint(lease: Lease): Promise<Checkpoint | undefined> {
    return this.#owned(lease).checkpoint;
  }

  async checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void> {
    this.#owned(lease).checkpoint = checkpoint;
  }

  setSummary(lease: Lease, summary: SessionSummary): void {
    this.#owned(lease).summary = summary;
  }

  async release(lease: Lease): Promise<void> {
    const session = this.#find(lease);
    if (session?.owner === this && session.generation === lease.generation) session.owner = undefined;
  }

  async get(key: SessionKey): Promise<SessionSummary | undefined> {
    return this.#find(key)?.summary;
  }

  async list(tenant: string, query: ListQuery = {}): Promise<SessionSummary[]> {
    assertValid("tenant", tenant);
    const summaries: SessionSummary[] = [];
    for (const { key, summary } of this.#storage.sessions.values()) {
      if (key.tenant === tenant && matches(summary.context, query)) summaries.push(summary);
    }
    summaries.sort((a, b) => (a.modifiedTime < b.modifiedTime ? 1 : -1));
    return summaries.slice(0, query.limit);
  }

  async delete(key: SessionKey): Promise<boolean> {
    const session = this.#find(key);
    if (!session) return false;
    if (session.owner !== this) await this.#askOwner(session);
    session.owner = undefined;
    return this.#storage.sessions.delete(toName(key));
  }

  workspacePath(_key: SessionKey): undefined {}

  async check(): Promise<void> {}

  async tenants(): Promise<string[]> {
    return [...new Set([...this.#storage.sessions.values()].map((session) => session.key.tenant))];
  }

  async storedBytes(tenant: string): Promise<number> {
    assertValid("tenant", tenant);
    let bytes = 0;
    for (const session of this.#storage.sessions.values()) {
      if (session.key.tenant !== tenant) continue;
      for (const line of session.lines) bytes += Buffer.byteLength(line) + 1;
    }
    return bytes;
  }

  onHandover(decide: (key: SessionKey) => Promise<boolean>): void {
    this.#decide = decide;
  }

  async close(): Promise<void> {
    for (const session of this.#storage.sessions.values()) {
      if (session.owner === this) session.owner = undefined;
    }
  }

  async #askOwner(session: MemorySession): Promise<void> {
    const { owner, key } = session;
    if (!owner) return;
    if (owner !== this && (await owner.#decide?.(key))) {
      if (session.owner === owner) session.owner = undefined;
      if (!session.owner) return;
    }
    throw new StoreError("conflict", `session ${key.sessionId} is in use; close it there first`);
  }

  #find(key: SessionKey): MemorySession | undefined {
    return this.#storage.sessions.get(toName(key));
  }

  #owned(lease: Lease): MemorySession {
    const session = this.#find(lease);
    if (session?.owner === this && session.generation === lease.generation) return session;
    throw new StoreError(
      "conflict",
      `session ${lease.sessionId} is not held under generation ${lease.generation}; open it again`,
    );
  }
}

/** The store in memory, for tests and for servers that keep nothing. */
export function createMemoryEventLog(options?: MemoryEventLogOptions): MemoryEventLog {
  return new MemoryEventLog(options);
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

function matches(context: SessionContext | undefined, query: ListQuery): boolean {
  const names = ["cwd", "gitRoot", "repository", "branch"] as const;
  return names.every((name) => query[name] === undefined || context?.[name] === query[name]);
}

function toLease({ key, generation }: MemorySession): Lease {
  return { ...key, generation };
}

function toName(key: SessionKey): string {
  assertValid("tenant", key.tenant);
  assertValid("session id", key.sessionId);
  return `${key.tenant}/${key.sessionId}`;
}

function assertValid(what: string, name: string): void {
  if (validName.test(name)) return;
  throw new StoreError(
    "invalid-key",
    `invalid ${what}: expected 1 to 128 characters of A-Z a-z 0-9 . _ - with no leading dot`,
  );
}
