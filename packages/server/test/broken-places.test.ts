/**
 * Every place that the server writes to, and what may become of it: the server answers, says what is wrong,
 * loses nothing that it acknowledged, and works again when the fault is gone. A row is a place and a fault; the
 * table is whole: each fault of each place has a row, or a reason why there is none.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempHome } from "./support/servers.ts";
import { fillLog, hasOwnDisks, startWorld, until, type World, type WorldOptions } from "./support/world.ts";

const PLACES = [
  "the audit log",
  "the log file",
  "the home",
  "the folder for temporary files",
  "standard error",
] as const;
const KINDS = ["full", "not writable", "removed", "not read", "slow"] as const;

interface Row extends WorldOptions {
  readonly place: (typeof PLACES)[number];
  readonly kind: (typeof KINDS)[number];
  /** How it comes about. */
  readonly fault: string;
  /** The machine has to let tests have what it needs. */
  readonly needs?: boolean;
  /** No prompt is answered while it lasts: it is answered afterwards. */
  readonly holdsUp?: boolean;
  /** How the server ends meanwhile, where not in order: a thread of it waits for the disk, for good or for long. */
  readonly endsBy?: "SIGKILL";
  /** @returns what undoes it. */
  readonly begin: (world: World) => Promise<() => unknown> | (() => unknown);
  /** What shows that the server knows, while it lasts. */
  readonly tells: (world: World) => Promise<void>;
  /** What shows that it is over, besides that prompts are answered. */
  readonly recovers?: (world: World) => Promise<void>;
}

/** A file larger than this does not grow while a fault has the limit set: for it, the disk is full. */
const LIMIT_BYTES = 16 * 1024 * 1024;

function limitFiles({ child }: World, bytes: number | "unlimited"): void {
  execFileSync("prlimit", ["--pid", String(child.pid), `--fsize=${bytes}:`]);
}

function fullFor(path: string, world: World): () => void {
  truncateSync(path, LIMIT_BYTES + 1);
  limitFiles(world, LIMIT_BYTES);
  return () => limitFiles(world, "unlimited");
}

/** A folder stands where the file was: nobody, whatever their rights, can write into that. */
async function folderInPlaceOf(path: string): Promise<() => Promise<void>> {
  await rename(path, `${path}.1`);
  await mkdir(path);
  return () => rmdir(path);
}

async function logFileOf({ logDir }: World): Promise<string> {
  await until(async () => (await readdir(logDir)).length > 0);
  return join(logDir, (await readdir(logDir))[0] as string);
}

async function checksOf(world: World): Promise<Record<string, string>> {
  return JSON.parse((await world.page("/readyz")).body).checks;
}

const isReady = (world: World) => until(async () => (await world.page("/readyz")).status === 200);

async function refusesAudited(world: World): Promise<void> {
  const call = () => world.client.request("session.abort", { sessionId: "none" });
  await until(async () => {
    for (let count = 0; count < 50; count++) await call().catch(() => undefined);
    return (await checksOf(world)).auditLog !== "ok";
  });
  await expect(call()).rejects.toMatchObject({
    data: { reason: "audit_unavailable", retryAfterMs: expect.any(Number) },
  });
  await expect(world.send("refused")).rejects.toMatchObject({ data: { reason: "audit_unavailable" } });
}

async function refusesStored(world: World): Promise<void> {
  await expect(world.send("refused")).rejects.toMatchObject({ data: { reason: "storage_unavailable" } });
  const told = await world.client.event(world.sessionId, "session.error");
  expect(told.data).toMatchObject({ errorType: "storage" });
  await until(async () => /could not/.test((await checksOf(world)).store ?? ""));
  expect(world.errors()).toContain("a session's log could not be written");
}

async function countsLostLines(world: World): Promise<void> {
  fillLog(world);
  fillLog(world);
  await until(async () => /rightseat_lost_lines\{of="log"\} [1-9]/.test((await world.page("/metrics")).body));
}

async function writesLogAgain(world: World): Promise<void> {
  await until(async () => {
    fillLog(world, 1);
    return (await readFile(await logFileOf(world), "utf8").catch(() => "")).includes("none-x");
  });
}

const DEBUG = ["--log-level", "debug"];

/** Longer than any real disk is slow for one write, and short enough for the test. */
const SLOW_MS = 300;

/** @param at where in the world it is. */
function slow(at: (world: World) => string | Promise<string>, eachMs: number | "for ever"): Row["begin"] {
  return async (world) => {
    world.disk.begin(await at(world), eachMs);
    return () => world.disk.end();
  };
}

const isNotHeldUp = (world: World) => world.send("nothing is wrong");

/** Fills a disk that has room for few files. */
function fillFiles(folder: string): () => void {
  const names: string[] = [];
  try {
    for (;;) {
      const name = join(folder, `filler-${names.length}`);
      writeFileSync(name, "");
      names.push(name);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
  return () => {
    for (const name of names) rmSync(name);
  };
}

/** Folders in the home, deepest last. */
function foldersOf(home: string): string[] {
  const below = readdirSync(home, { recursive: true, withFileTypes: true });
  return [
    home,
    ...below.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)),
  ];
}

/** A session that was asked for while the disk did not answer. */
let made: Promise<unknown> | undefined;

const ROWS: readonly Row[] = [
  {
    place: "the audit log",
    kind: "full",
    fault: "is on a full disk",
    auditLog: "file",
    begin: (world) => fullFor(world.auditLog, world),
    tells: refusesAudited,
    recovers: isReady,
  },
  {
    place: "the audit log",
    kind: "not writable",
    fault: "cannot be written",
    auditLog: "file",
    begin: (world) => folderInPlaceOf(world.auditLog),
    tells: refusesAudited,
    recovers: isReady,
  },
  {
    place: "the audit log",
    kind: "removed",
    fault: "is removed with its folder",
    auditLog: "file",
    begin: async (world) => {
      await rm(dirname(world.auditLog), { recursive: true });
      return () => undefined;
    },
    tells: async (world) => {
      await world.send("into a new file");
      await until(async () =>
        (await readFile(world.auditLog, "utf8").catch(() => "")).includes("session.send"),
      );
    },
  },
  {
    place: "the audit log",
    kind: "not read",
    fault: "is a pipe that is not read",
    auditLog: "pipe",
    begin: (world) => () => world.readAuditPipe(),
    tells: refusesAudited,
    recovers: isReady,
  },
  {
    place: "the log file",
    kind: "full",
    fault: "is on a full disk",
    flags: DEBUG,
    begin: async (world) => fullFor(await logFileOf(world), world),
    tells: async (world) => {
      await until(() => {
        fillLog(world, 1);
        return world.errors().includes("the log cannot be written");
      });
      await countsLostLines(world);
    },
    recovers: async (world) => {
      const file = await logFileOf(world);
      await until(async () => (await readFile(file, "utf8")).includes("lines of the log were lost"));
    },
  },
  {
    place: "the log file",
    kind: "not writable",
    fault: "cannot be written",
    flags: DEBUG,
    begin: async (world) => folderInPlaceOf(await logFileOf(world)),
    tells: (world) =>
      until(() => {
        fillLog(world, 1);
        return world.errors().includes("the log cannot be written");
      }),
    recovers: writesLogAgain,
  },
  {
    place: "the log file",
    kind: "removed",
    fault: "is removed with its folder",
    flags: DEBUG,
    begin: async (world) => {
      await rm(world.logDir, { recursive: true });
      return () => undefined;
    },
    tells: async (world) => {
      await until(() => {
        fillLog(world, 1);
        return readdir(world.logDir).then(
          () => true,
          () => false,
        );
      });
      await writesLogAgain(world);
    },
  },
  {
    place: "the home",
    kind: "full",
    fault: "is on a full disk",
    begin: (world) => {
      limitFiles(world, 0);
      return () => limitFiles(world, "unlimited");
    },
    tells: refusesStored,
    recovers: isReady,
  },
  {
    place: "the home",
    kind: "not writable",
    fault: "cannot be written",
    begin: async ({ home }) => {
      await rename(home, `${home}-away`);
      await writeFile(home, "");
      return async () => {
        await rm(home);
        await rename(`${home}-away`, home);
      };
    },
    tells: async (world) => {
      await expect(world.send("refused")).rejects.toBeDefined();
      await world.client.event(world.sessionId, "session.error");
      await until(async () => /could not/.test((await checksOf(world)).store ?? ""));
    },
    recovers: async (world) => {
      await isReady(world);
      await world.client.request("session.resume", { sessionId: world.sessionId });
    },
  },
  {
    place: "the home",
    kind: "not writable",
    fault: "may not be written any more",
    isOrdinaryUser: true,
    begin: async ({ home }) => {
      const folders = foldersOf(home);
      for (const folder of folders) await chmod(folder, 0o500);
      return () => Promise.all(folders.map((folder) => chmod(folder, 0o700)));
    },
    tells: async (world) => {
      await expect(world.client.request("session.create", { model: "demo" })).rejects.toMatchObject({
        data: { reason: "storage_unavailable" },
      });
      await until(async () => /permission denied/.test((await checksOf(world)).store ?? ""));
    },
    recovers: isReady,
  },
  {
    place: "the home",
    kind: "removed",
    fault: "is unmounted, and mounted again",
    begin: async ({ home }) => {
      await rename(home, `${home}-away`);
      return async () => {
        await rm(home, { recursive: true, force: true });
        await rename(`${home}-away`, home);
      };
    },
    tells: async (world) => {
      await expect(world.send("refused")).rejects.toMatchObject({
        data: { reason: expect.stringMatching(/session_not_found|storage_unavailable/) },
      });
      const told = await world.client.event(world.sessionId, "session.error");
      expect(told.data).toMatchObject({ errorType: "storage" });
    },
    recovers: async (world) => {
      await isReady(world);
      await world.client.request("session.resume", { sessionId: world.sessionId });
    },
  },
  {
    place: "the home",
    kind: "slow",
    fault: "is on a slow disk",
    begin: slow(({ home }) => home, SLOW_MS),
    tells: isNotHeldUp,
    recovers: isReady,
  },
  {
    place: "the home",
    kind: "slow",
    fault: "is on a disk that does not answer",
    holdsUp: true,
    endsBy: "SIGKILL",
    flags: ["--shutdown-grace", "1"],
    begin: slow(({ home }) => home, "for ever"),
    tells: async (world) => {
      made = world.client.request("session.create", { model: "demo" });
      made.catch(() => undefined);
      await until(async () => (await checksOf(world)).store === "no answer within 1000 ms");
    },
    recovers: async (world) => {
      await made;
      await isReady(world);
    },
  },
  {
    place: "the audit log",
    kind: "slow",
    fault: "is on a slow disk",
    auditLog: "file",
    begin: slow(({ auditLog }) => auditLog, SLOW_MS),
    tells: isNotHeldUp,
    recovers: isReady,
  },
  {
    place: "the audit log",
    kind: "slow",
    fault: "is on a disk that does not answer",
    auditLog: "file",
    endsBy: "SIGKILL",
    begin: slow(({ auditLog }) => auditLog, "for ever"),
    tells: refusesAudited,
    recovers: isReady,
  },
  {
    place: "the log file",
    kind: "slow",
    fault: "is on a slow disk",
    flags: DEBUG,
    endsBy: "SIGKILL",
    begin: slow(logFileOf, SLOW_MS),
    tells: countsLostLines,
    recovers: writesLogAgain,
  },
  {
    place: "the log file",
    kind: "slow",
    fault: "is on a disk that does not answer",
    flags: DEBUG,
    endsBy: "SIGKILL",
    begin: slow(logFileOf, "for ever"),
    tells: countsLostLines,
    recovers: writesLogAgain,
  },
  {
    place: "standard error",
    kind: "not writable",
    fault: "is open for reading alone",
    standardError: "unwritable",
    flags: DEBUG,
    begin: () => () => undefined,
    tells: countsLostLines,
  },
  {
    place: "the folder for temporary files",
    kind: "full",
    fault: "is a full disk",
    needs: hasOwnDisks,
    temporaryFiles: 8,
    begin: (world) => fillFiles(world.tempOutside),
    tells: isNotHeldUp,
  },
  {
    place: "the folder for temporary files",
    kind: "removed",
    fault: "is removed",
    begin: async (world) => {
      await rm(world.temp, { recursive: true });
      return () => mkdir(world.temp);
    },
    tells: (world) => world.send("nothing is wrong"),
  },
  {
    place: "the folder for temporary files",
    kind: "not writable",
    fault: "cannot be written",
    begin: async (world) => {
      await rm(world.temp, { recursive: true });
      await writeFile(world.temp, "");
      return () => rm(world.temp);
    },
    tells: (world) => world.send("nothing is wrong"),
  },
  {
    place: "standard error",
    kind: "full",
    fault: "is a file on a full disk",
    standardError: "file",
    flags: DEBUG,
    begin: (world) => fullFor(world.errorFile, world),
    tells: countsLostLines,
    recovers: (world) =>
      until(async () => (await readFile(world.errorFile, "utf8")).includes("lines of the log were lost")),
  },
  {
    place: "standard error",
    kind: "not read",
    fault: "is a pipe that is not read",
    standardError: "unread",
    flags: DEBUG,
    begin: (world) => () => {
      world.child.stderr?.on("data", () => undefined);
    },
    tells: countsLostLines,
    recovers: async (world) => {
      let text = "";
      world.child.stderr?.on("data", (chunk) => (text += chunk));
      await until(() => text.includes("lines of the log were lost"));
    },
  },
  {
    place: "standard error",
    kind: "removed",
    fault: "is a pipe that nobody has open any more",
    standardError: "unread",
    flags: DEBUG,
    begin: (world) => {
      world.child.stderr?.destroy();
      return () => undefined;
    },
    tells: countsLostLines,
  },
  {
    place: "standard error",
    kind: "slow",
    fault: "is a pipe that is read slowly",
    standardError: "unread",
    flags: DEBUG,
    begin: (world) => {
      const { stderr } = world.child;
      const slow = setInterval(() => stderr?.read(4_096), 20);
      return () => {
        clearInterval(slow);
        stderr?.resume();
      };
    },
    tells: countsLostLines,
  },
];

/** Why a fault has no row. */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  "the log file, not read": "the server makes the file itself, in a folder: it is never a pipe",
  "the home, not read": "it is a folder",
  "the folder for temporary files, not read": "it is a folder",
  "the folder for temporary files, slow":
    "the server has no file there, only a socket, which no disk has to hold",
};

test("the table is whole: each fault of each place has a row, or a reason why there is none", () => {
  const named = [...ROWS.map(({ place, kind }) => `${place}, ${kind}`), ...Object.keys(NOT_APPLICABLE)];
  const all = PLACES.flatMap((place) => KINDS.map((kind) => `${place}, ${kind}`));
  expect([...new Set(named)].sort()).toEqual(all.sort());
});

/** The server lives and answers, whatever it is that cannot be written. */
async function answers(world: World): Promise<void> {
  expect(await world.page("/healthz")).toMatchObject({ status: 200 });
  expect(await world.client.request("ping", {})).toBeDefined();
}

async function tellsAllPrompts(world: World): Promise<void> {
  const { events } = await world.client.request("session.getMessages", { sessionId: world.sessionId });
  const prompts = events
    .filter(({ type }: { type: string }) => type === "user.message")
    .map(({ data }: { data: { content: string } }) => data.content);
  expect(prompts).toEqual(expect.arrayContaining([...world.acknowledged]));
}

const rows = ROWS.filter(({ needs = true }) => needs);

describe.each(rows)("when $place $fault", { timeout: 60_000 }, (row) => {
  test("the server answers, says so, and works again after it, with all that it acknowledged", async () => {
    await using folder = await tempHome();
    await using world = await startWorld(folder.path, row);
    await world.send("before");
    await world.client.event(world.sessionId, "session.idle");
    const undo = await row.begin(world);
    await row.tells(world);
    await answers(world);
    const meanwhile = world.send("meanwhile").catch(() => undefined);
    if (row.holdsUp) await answers(world);
    else await meanwhile;
    await undo();
    await meanwhile;
    await row.recovers?.(world);
    const seen = world.client.of(world.sessionId).length;
    await world.send("after");
    await world.client.event(world.sessionId, "session.idle", seen);
    await tellsAllPrompts(world);
    expect(await world.kill("SIGTERM")).toBe(0);
  });

  test("the server ends when it is told to", async () => {
    await using folder = await tempHome();
    await using world = await startWorld(folder.path, row);
    await row.begin(world);
    await row.tells(world);
    expect(await world.kill("SIGTERM")).toBe(row.endsBy ?? 0);
  });
});

test("set to go on, the server answers while the audit log is on a full disk, and an entry tells what is missing", async () => {
  await using folder = await tempHome();
  const flags = ["--audit-failure", "continue"];
  await using world = await startWorld(folder.path, { auditLog: "file", flags });
  const undo = fullFor(world.auditLog, world);
  const long = "x".repeat(120);
  await until(async () => {
    for (let count = 0; count < 500; count++)
      await world.client.request("session.abort", { sessionId: long }).catch(() => undefined);
    return /rightseat_lost_lines\{of="audit"\} [1-9]/.test((await world.page("/metrics")).body);
  });
  await world.send("meanwhile");
  expect((await world.page("/readyz")).status).toBe(200);
  expect(world.errors()).toContain("the audit log cannot be written");
  undo();
  await until(async () => (await readFile(world.auditLog, "utf8")).includes('"missing":'));
  expect(await world.kill("SIGTERM")).toBe(0);
});

test("while the home's disk is full, sessions sleep without a checkpoint, and what is deleted is gone", async () => {
  await using folder = await tempHome();
  await using world = await startWorld(folder.path, { flags: [...DEBUG, "--hibernate-after", "1"] });
  const { sessionId: other } = await world.client.request("session.create", { model: "demo" });
  await world.send("hello");
  await world.client.event(world.sessionId, "session.idle");
  limitFiles(world, 0);
  await until(() => world.errors().includes("a session sleeps without a checkpoint"));
  expect(await world.client.request("session.delete", { sessionId: other })).toMatchObject({ success: true });
  await world.client.request("session.destroy", { sessionId: world.sessionId });
  expect(await world.client.request("session.delete", { sessionId: world.sessionId })).toMatchObject({
    success: true,
  });
  const left = await readdir(join(world.home, "session-state"));
  expect(left.filter((name) => !name.startsWith("sessions.index"))).toEqual([]);
  limitFiles(world, "unlimited");
  expect((await world.client.request("session.list", {})).sessions).toEqual([]);
  expect(world.errors().match(/a session sleeps without a checkpoint/g)).toHaveLength(1);
  expect(await world.kill("SIGTERM")).toBe(0);
});

test("sessions whose folders are removed are closed, and their clients told, each once", async () => {
  await using folder = await tempHome();
  await using world = await startWorld(folder.path, { flags: ["--hibernate-after", "1"] });
  await world.send("hello");
  await world.client.event(world.sessionId, "session.idle");
  await rm(join(world.home, "session-state", world.sessionId), { recursive: true });
  const told = await world.client.event(world.sessionId, "session.error");
  expect(told.data).toMatchObject({ errorType: "storage", message: expect.stringContaining("from outside") });
  await expect(
    world.client.request("session.send", { sessionId: world.sessionId, prompt: "x" }),
  ).rejects.toMatchObject({ data: { reason: "session_not_found" } });
  expect(world.errors().match(/deleted or taken over from outside/g)).toHaveLength(1);
  expect(await world.kill("SIGTERM")).toBe(0);
});

test("SIGHUP opens the log and the audit log anew, so that they can be moved away", async () => {
  await using folder = await tempHome();
  await using world = await startWorld(folder.path, { auditLog: "file", flags: DEBUG });
  const log = await logFileOf(world);
  await rename(log, `${log}.1`);
  await rename(world.auditLog, `${world.auditLog}.1`);
  world.child.kill("SIGHUP");
  await world.send("hello");
  for (const path of [log, world.auditLog])
    await until(async () => (await readFile(path, "utf8").catch(() => "")).length > 0);
  expect(await world.kill("SIGTERM")).toBe(0);
});
