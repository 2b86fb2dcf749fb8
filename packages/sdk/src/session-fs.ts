/** Session files that an application keeps: its own way to store them, behind the calls of the server. */
import type { PublishedMethods } from "@rightseat/protocol";
import { isThenable } from "./callbacks.ts";
import { toError } from "./errors.ts";

type Methods = {
  [M in keyof PublishedMethods as M extends `sessionFs.${infer Name}` ? Name : never]: PublishedMethods[M];
};
type FileMethods = Omit<Methods, "setProvider">;

/** Answers the server's calls; made by `createSessionFsAdapter`. */
export type SessionFsHandler = {
  [Name in keyof FileMethods]: (
    params: FileMethods[Name]["params"],
  ) => Promise<FileMethods[Name]["result"] | undefined>;
};

/** What is known of a file. */
export type SessionFsFileInfo = Omit<Methods["stat"]["result"], "error">;
/** `exec` for definitions, `query` for SELECT, `run` for changes. */
export type SessionFsSqliteQueryType = Methods["sqliteQuery"]["params"]["queryType"];
/** Rows, or how many were changed. */
export type SessionFsSqliteQueryResult = Omit<Methods["sqliteQuery"]["result"], "error">;
/** Whether a transaction that failed may be tried again. */
export type SessionFsSqliteTransactionErrorClass = NonNullable<
  Methods["sqliteTransaction"]["result"]["error"]
>["errorClass"];
type SqliteParams = Record<string, string | number | null>;

/** One statement, and the values for its parameters. */
export interface SessionFsSqliteStatement {
  /** `exec` for definitions, `query` for SELECT, `run` for changes. */
  queryType: SessionFsSqliteQueryType;
  query: string;
  params?: SqliteParams;
}

/** Says whether a transaction that failed may be tried again; any other error may not. */
export class SessionFsSqliteTransactionFailure extends Error {
  readonly errorClass: SessionFsSqliteTransactionErrorClass;
  constructor(message: string, errorClass: SessionFsSqliteTransactionErrorClass = "fatal") {
    super(message);
    this.name = "SessionFsSqliteTransactionFailure";
    this.errorClass = errorClass;
  }
}

/** The database of one session. Errors are thrown. */
export interface SessionFsSqliteProvider {
  /** Carries out one statement; makes the database where there is none. */
  query(
    queryType: SessionFsSqliteQueryType,
    query: string,
    params?: SqliteParams,
  ): Promise<SessionFsSqliteQueryResult | undefined>;
  /** All statements or none. */
  transaction?(statements: SessionFsSqliteStatement[]): Promise<SessionFsSqliteQueryResult[]>;
  /** Whether there is a database, without making one. */
  exists(): Promise<boolean>;
}

/** The files of one session. Errors are thrown; one with the code ENOENT says that there is no such file. */
export interface SessionFsProvider {
  /** The whole file, as UTF-8. */
  readFile(path: string): Promise<string>;
  /** Makes the folders above where they are missing. */
  writeFile(path: string, content: string, mode?: number): Promise<void>;
  /** Makes the file, and the folders above, where they are missing. */
  appendFile(path: string, content: string, mode?: number): Promise<void>;
  /** Whether there is a file or a folder. */
  exists(path: string): Promise<boolean>;
  /** What is known of a file or a folder. */
  stat(path: string): Promise<SessionFsFileInfo>;
  /** With `recursive`, makes the folders above too, and one that is there is no error. */
  mkdir(path: string, recursive: boolean, mode?: number): Promise<void>;
  /** The names in a folder. */
  readdir(path: string): Promise<string[]>;
  /** The names in a folder, and what each is. */
  readdirWithTypes(path: string): Promise<Methods["readdirWithTypes"]["result"]["entries"]>;
  /** With `force`, nothing to remove is no error. */
  rm(path: string, recursive: boolean, force: boolean): Promise<void>;
  /** Moves a file or a folder; what was at the new place is replaced. */
  rename(from: string, to: string): Promise<void>;
  sqlite?: SessionFsSqliteProvider;
}

/** What the server is told of the files before any session. */
export interface SessionFsConfig {
  /** The sessions' first working directory. */
  initialCwd: string;
  /** Where the server keeps its own files of a session. */
  sessionStatePath: string;
  conventions: "windows" | "posix";
  capabilities?: { sqlite?: boolean };
}

/** @throws Error that names what is missing. */
export function assertSessionFsConfig({ initialCwd, sessionStatePath, conventions }: SessionFsConfig): void {
  if (!initialCwd) throw new Error("sessionFs.initialCwd is required");
  if (!sessionStatePath) throw new Error("sessionFs.sessionStatePath is required");
  if (conventions !== "windows" && conventions !== "posix")
    throw new Error("sessionFs.conventions must be either 'windows' or 'posix'");
}

/** @throws TypeError for what is no provider; a promise of one is none, since the session's files are needed at once. */
export function assertFsProvider(provider: unknown): asserts provider is SessionFsProvider {
  if (isThenable(provider)) {
    provider.then(undefined, () => undefined);
    throw new TypeError("createSessionFsProvider: expected a provider, got a promise");
  }
  if (typeof provider !== "object" || provider === null)
    throw new TypeError(`createSessionFsProvider: expected a provider, got ${String(provider)}`);
}

/** Turns what a provider throws into what the server is told. */
export function createSessionFsAdapter(provider: SessionFsProvider): SessionFsHandler {
  const done = (work: () => Promise<void>) => attempt(work).then(() => undefined, toFsError);
  return {
    readFile: ({ path }) =>
      attempt(() => provider.readFile(path)).then(
        (content) => ({ content }),
        (error) => ({ content: "", error: toFsError(error) }),
      ),
    writeFile: ({ path, content, mode }) => done(() => provider.writeFile(path, content, mode)),
    appendFile: ({ path, content, mode }) => done(() => provider.appendFile(path, content, mode)),
    exists: ({ path }) =>
      attempt(() => provider.exists(path)).then(
        (exists) => ({ exists }),
        () => ({ exists: false }),
      ),
    stat: ({ path }) => attempt(() => provider.stat(path)).catch(toFailedStat),
    mkdir: ({ path, recursive, mode }) => done(() => provider.mkdir(path, recursive ?? false, mode)),
    readdir: ({ path }) =>
      attempt(() => provider.readdir(path)).then(
        (entries) => ({ entries }),
        (error) => ({ entries: [], error: toFsError(error) }),
      ),
    readdirWithTypes: ({ path }) =>
      attempt(() => provider.readdirWithTypes(path)).then(
        (entries) => ({ entries }),
        (error) => ({ entries: [], error: toFsError(error) }),
      ),
    rm: ({ path, recursive, force }) => done(() => provider.rm(path, recursive ?? false, force ?? false)),
    rename: ({ src, dest }) => done(() => provider.rename(src, dest)),
    // An error of SQL is told as it is: its message is all there is to it.
    sqliteQuery: async ({ queryType, query, params }) =>
      (await sqliteOf(provider).query(queryType, query, params as SqliteParams)) ?? {
        rows: [],
        columns: [],
        rowsAffected: 0,
      },
    sqliteTransaction: ({ statements }) => transact(provider, statements as SessionFsSqliteStatement[]),
    sqliteExists: async () => ({ exists: await sqliteOf(provider).exists() }),
  };
}

/** What throws at once rejects. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

function sqliteOf({ sqlite }: SessionFsProvider): SessionFsSqliteProvider {
  if (!sqlite) throw new Error("SQLite is not supported by this provider");
  return sqlite;
}

async function transact({ sqlite }: SessionFsProvider, statements: SessionFsSqliteStatement[]) {
  const failed = (errorClass: SessionFsSqliteTransactionErrorClass, message: string) => ({
    results: [],
    error: { errorClass, message },
  });
  if (!sqlite?.transaction) return failed("fatal", "SQLite transactions are not supported by this provider");
  try {
    return { results: await sqlite.transaction(statements) };
  } catch (error) {
    const { errorClass } =
      error instanceof SessionFsSqliteTransactionFailure ? error : { errorClass: "fatal" as const };
    return failed(errorClass, toError(error).message);
  }
}

function toFsError(error: unknown): { code: "ENOENT" | "UNKNOWN"; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : toError(error).message;
  return { code: code === "ENOENT" ? "ENOENT" : "UNKNOWN", message: text };
}

function toFailedStat(error: unknown) {
  const now = new Date().toISOString();
  return { isFile: false, isDirectory: false, size: 0, mtime: now, birthtime: now, error: toFsError(error) };
}
