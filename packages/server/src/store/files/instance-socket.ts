import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, rmdir, stat } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionKey } from "../session-key.ts";
import { errorCode, toStoreError } from "./errors.ts";
import { runDirectory } from "./layout.ts";

/**
 * Each store instance listens on one local socket while it holds leases. The kernel closes it when
 * the process ends, however it ends: a socket that refuses connections proves that its owner is gone,
 * which a process id in a file never does. The same socket takes the question for a handover.
 *
 * The wire: one line of JSON each way, `{"tenant","sessionId"}` and `{"answer":"free"|"kept"}`.
 */

/** `free`: the owner does not hold the session (any more); `kept`: it does, and goes on doing so. */
export type OwnerAnswer = "free" | "kept";

/** `gone`: nobody listens; `silent`: somebody does, but gave no answer in time. */
export type AskOutcome = OwnerAnswer | "gone" | "silent";

// The address field of a unix domain socket has 104 bytes on macOS and 108 on Linux.
const maxSocketPathBytes = 100;
const maxQuestionBytes = 4096;
// Longer than any process could take between binding its socket and listening on it.
const abandonedAfterMs = 60_000;

// Where the home's own path is too long for a socket: a folder made by mkdtemp, with the socket in it.
const FOLDER_PREFIX = "rightseat-";
const FOLDER_NAME = /^rightseat-[A-Za-z0-9]{6}$/;
const SOCKET_NAME = "s";

export class InstanceSocket {
  readonly id = randomBytes(8).toString("hex");
  readonly #home: string;
  readonly #answer: (key: SessionKey) => Promise<OwnerAnswer>;
  readonly #connections = new Set<Socket>();
  #listening: Promise<string> | undefined;
  #server: Server | undefined;
  #directory: string | undefined;

  constructor(home: string, answer: (key: SessionKey) => Promise<OwnerAnswer>) {
    this.#home = home;
    this.#answer = answer;
  }

  /** Listens on the first call; resolves to the path that others reach this instance at. */
  listen(): Promise<string> {
    this.#listening ??= this.#start().catch((error: unknown) => {
      this.#listening = undefined;
      throw toStoreError(
        error,
        "listen on a local socket for session leases, in the home or the folder for temporary files",
      );
    });
    return this.#listening;
  }

  async close(): Promise<void> {
    await this.#listening?.catch(() => undefined);
    const server = this.#server;
    this.#server = undefined;
    for (const connection of this.#connections) connection.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<string> {
    if (process.platform === "win32") return this.#listenAt(`\\\\.\\pipe\\rightseat-${this.id}`);
    void removeAbandonedFolders(tmpdir());
    const run = runDirectory(this.#home);
    const path = join(run, `${this.id}.sock`);
    if (Buffer.byteLength(path) <= maxSocketPathBytes) {
      await mkdir(run, { recursive: true, mode: 0o700 });
      void removeAbandonedSockets(run);
      try {
        return await this.#listenAt(path);
      } catch {
        // Some shared folders of virtual machines hold files but no sockets.
      }
    }
    this.#directory = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
    return this.#listenAt(join(this.#directory, SOCKET_NAME));
  }

  async #listenAt(path: string): Promise<string> {
    const server = createServer((connection) => this.#serve(connection));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    server.unref();
    this.#server = server;
    if (process.platform !== "win32") await chmod(path, 0o600);
    return path;
  }

  #serve(connection: Socket): void {
    this.#connections.add(connection);
    connection.unref();
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("error", () => connection.destroy());
    void readLine(connection)
      .then((line) => this.#answer(parseKey(line)))
      .then(
        (answer) => connection.end(`${JSON.stringify({ answer })}\n`),
        () => connection.destroy(),
      );
  }
}

/**
 * Asks the instance behind `socketPath` for a session, within `timeoutMs` in all. Never rejects.
 * An owner that dies or closes while it is asked is asked once more, and then found gone.
 */
export async function askOwner(socketPath: string, key: SessionKey, timeoutMs: number): Promise<AskOutcome> {
  const deadline = Date.now() + timeoutMs;
  for (let attempt = 0; attempt < 3; attempt++) {
    const outcome = await askOnce(socketPath, key, deadline - Date.now());
    if (outcome !== "cut-off") return outcome;
  }
  return "silent";
}

async function askOnce(
  socketPath: string,
  key: SessionKey,
  timeoutMs: number,
): Promise<AskOutcome | "cut-off"> {
  const connection = createConnection(socketPath);
  let outOfTime = false;
  const timer = setTimeout(() => {
    outOfTime = true;
    connection.destroy();
  }, timeoutMs);
  try {
    connection.write(`${JSON.stringify({ tenant: key.tenant, sessionId: key.sessionId })}\n`);
    return parseAnswer(await readLine(connection));
  } catch (error) {
    if (outOfTime) return "silent";
    const code = errorCode(error);
    if (code === "ECONNREFUSED" || code === "ENOENT") return "gone";
    return code === undefined || code === "ECONNRESET" || code === "EPIPE" ? "cut-off" : "silent";
  } finally {
    clearTimeout(timer);
    connection.on("error", () => undefined);
    connection.destroy();
  }
}

function readLine(connection: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    connection.setEncoding("utf8");
    connection.on("data", (part: string) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > maxQuestionBytes) reject(new Error("line too long"));
    });
    connection.once("error", reject);
    connection.once("close", () => reject(new Error("closed before a line came")));
  });
}

function parseKey(line: string): SessionKey {
  const value = JSON.parse(line) as Partial<SessionKey>;
  if (typeof value.tenant !== "string" || typeof value.sessionId !== "string") {
    throw new TypeError("expected a tenant and a session id");
  }
  return { tenant: value.tenant, sessionId: value.sessionId };
}

function parseAnswer(line: string): AskOutcome {
  const { answer } = JSON.parse(line) as { answer?: unknown };
  return answer === "free" || answer === "kept" ? answer : "silent";
}

/** Sockets of killed processes would gather for ever. */
async function removeAbandonedSockets(run: string): Promise<void> {
  try {
    for (const name of await readdir(run)) {
      const path = join(run, name);
      if (!name.endsWith(".sock")) continue;
      // A young one may be bound and not listening yet: it would look dead.
      if (Date.now() - (await stat(path)).mtimeMs < abandonedAfterMs) continue;
      if (await refusesConnections(path)) await rm(path, { force: true });
    }
  } catch {
    // Another process is tidying too, or may not: the next start does it.
  }
}

/** Folders that killed processes left in the system's folder of temporary files. */
async function removeAbandonedFolders(temporary: string): Promise<void> {
  const names = await readdir(temporary).catch(() => []);
  for (const name of names) {
    if (!FOLDER_NAME.test(name)) continue;
    // Another process is tidying too, or it is not what it looks like: it stays.
    await removeIfAbandoned(join(temporary, name)).catch(() => undefined);
  }
}

/** Only a folder of this user's, with nothing in it but a socket that nobody listens on. */
async function removeIfAbandoned(folder: string): Promise<void> {
  const { mtimeMs, uid } = await lstat(folder);
  if (uid !== process.getuid?.() || Date.now() - mtimeMs < abandonedAfterMs) return;
  const names = await readdir(folder);
  if (names.some((name) => name !== SOCKET_NAME)) return;
  const socket = join(folder, SOCKET_NAME);
  if (names.length > 0) {
    if (!(await lstat(socket)).isSocket() || !(await refusesConnections(socket))) return;
    await rm(socket);
  }
  await rmdir(folder);
}

async function refusesConnections(path: string): Promise<boolean> {
  return (await tryConnecting(path)) === "ECONNREFUSED";
}

/** Whether an instance is there at all. */
export async function isListening(socketPath: string): Promise<boolean> {
  return (await tryConnecting(socketPath)) === "connected";
}

/** The system's code where nobody is reached. */
function tryConnecting(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once("connect", () => {
      connection.destroy();
      resolve("connected");
    });
    connection.once("error", (error) => resolve(errorCode(error)));
  });
}
