import { randomBytes } from "node:crypto";
import { access, existsSync, link, readdir, readFile, rename, unlink, writeFile } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import { errorCode, isMissing } from "./errors.ts";
import type { AskOutcome } from "./instance-socket.ts";

/**
 * The lease says who may write a session. It is kept in the session's directory:
 *
 * - `lease.<generation>` is a claim. It appears whole and exclusively (link), so each generation has
 *   one claimant. The session belongs to the claim with the highest generation.
 * - `lease.json` is a copy of the newest published claim. It says where to look for the highest, and
 *   which numbers are spent.
 *
 * Taking over: find the highest claim; make sure that its owner is gone, or gave the session up;
 * link `lease.<generation + 1>`; publish it as `lease.json`; remove the lower claims. A lower claim
 * goes only after a higher one was published. That is what makes two checks sound:
 *
 * - A claimant that was paused before its link, and finds its number free because it was spent and
 *   removed meanwhile, sees in `lease.json` a generation not below its own, and steps back.
 * - A holder is still the holder exactly while its own claim exists (`isLeaseHeld`): the next owner
 *   removes it before reading the end of the log, so before writing anything.
 *
 * A crash at any step leaves either the old claim or a new one whose owner is gone. No step needs an
 * fsync: after a power cut every owner is gone, and an unreadable claim counts as one of those.
 */

export interface LeaseRecord {
  readonly generation: number;
  readonly instance: string;
  readonly socket: string;
}

/** The process that takes a lease, and how it asks the present owner. */
export interface LeaseTaker {
  readonly instance: string;
  readonly socket: string;
  /** Asks the owner that listens at `socket` for the session. */
  readonly ask: (socket: string, key: SessionKey) => Promise<AskOutcome>;
}

// Callbacks underneath: taking a lease is most of what waking a session costs.
const listNames = promisify(readdir);
const linkFile = promisify(link);
const renameFile = promisify(rename);
const removeFile = promisify(unlink);
const writeText = promisify(writeFile);
const readText = promisify(readFile);

const publishedName = "lease.json";
const maxAttempts = 8;

/** The text of a first claim; written before the session's directory gets its name. */
export function firstClaim(taker: LeaseTaker): { name: string; text: string } {
  const record = { generation: 1, instance: taker.instance, socket: taker.socket };
  return { name: claimName(1), text: JSON.stringify(record) };
}

/** One look-up in the file system, a few microseconds; for as long as the disk is silent, nothing else is done. */
export function isLeaseHeld(directory: string, generation: number): boolean {
  return existsSync(`${directory}/${claimName(generation)}`);
}

/**
 * The same by a thread of the pool: a disk that does not answer holds up nobody else.
 * @throws the system's error when it cannot be known.
 */
export function lookForLease(directory: string, generation: number): Promise<boolean> {
  return new Promise((resolve, reject) =>
    access(`${directory}/${claimName(generation)}`, (error) => {
      if (!error || error.code === "ENOENT" || error.code === "ENOTDIR") resolve(!error);
      else reject(error);
    }),
  );
}

/**
 * Takes the lease of a session that this instance does not hold, and returns its generation.
 * @throws StoreError `conflict` if a living owner keeps it, `not-found` if the directory goes.
 */
export async function takeLease(directory: string, key: SessionKey, taker: LeaseTaker): Promise<number> {
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const published = await readPublished(directory);
      const owner = await findOwner(directory, published);
      if (owner) await assertGivenUp(owner, key, taker);
      const generation = (owner?.generation ?? 0) + 1;
      if (await claim(directory, generation, taker)) {
        await removeClaimsBelow(directory, generation, published?.generation ?? 1);
        return generation;
      }
    }
  } catch (error) {
    if (isMissing(error)) throw new StoreError("not-found", `no session ${key.sessionId}`);
    throw error;
  }
  throw new StoreError(
    "conflict",
    `session ${key.sessionId} is being opened by several processes at once; try again`,
  );
}

/** The process that claimed the session last. Undefined when nobody has, or there is no such session. */
export async function readOwner(directory: string): Promise<LeaseRecord | undefined> {
  try {
    return await findOwner(directory, await readPublished(directory));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function assertGivenUp(owner: LeaseRecord, key: SessionKey, taker: LeaseTaker) {
  // Its own instance only takes what it does not hold.
  if (owner.instance === taker.instance || owner.socket === "") return;
  const outcome = await taker.ask(owner.socket, key);
  if (outcome === "gone" || outcome === "free") return;
  const what =
    outcome === "kept"
      ? "is in use by another running process; end its turn, or close it there, and try again"
      : "belongs to a running process that does not answer; resume or stop that process";
  throw new StoreError("conflict", `session ${key.sessionId} ${what}`);
}

/** The highest claim, or what `lease.json` says of one that somebody removed by hand. */
async function findOwner(
  directory: string,
  published: LeaseRecord | undefined,
): Promise<LeaseRecord | undefined> {
  let owner = published;
  let generation = published ? published.generation : await highestClaim(directory);
  for (;;) {
    const next = await readRecord(join(directory, claimName(generation)));
    // The published number itself may be missing; the walk goes on above it all the same.
    if (!next && generation !== published?.generation) return owner;
    if (next) owner = { ...next, generation };
    generation++;
  }
}

async function highestClaim(directory: string): Promise<number> {
  let highest = 1;
  for (const name of await listNames(directory)) {
    const digits = /^lease\.(\d+)$/.exec(name)?.[1];
    if (digits) highest = Math.max(highest, Number(digits));
  }
  return highest;
}

/** True if this instance now owns `generation`; false if another one was faster. */
async function claim(directory: string, generation: number, taker: LeaseTaker): Promise<boolean> {
  const draft = join(directory, `.lease-${taker.instance}-${randomBytes(4).toString("hex")}`);
  const path = join(directory, claimName(generation));
  const record = { generation, instance: taker.instance, socket: taker.socket };
  try {
    await writeText(draft, JSON.stringify(record), { mode: 0o600 });
    await linkFile(draft, path);
    const newest = await readPublished(directory);
    if (newest && newest.generation >= generation) {
      await removeIfThere(path);
      await removeIfThere(draft);
      return false;
    }
    await renameFile(draft, join(directory, publishedName));
    return true;
  } catch (error) {
    await removeIfThere(draft);
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function removeClaimsBelow(directory: string, generation: number, from: number) {
  for (let lower = Math.max(from, 1); lower < generation; lower++) {
    await removeIfThere(join(directory, claimName(lower)));
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await removeFile(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function readPublished(directory: string): Promise<LeaseRecord | undefined> {
  const record = await readRecord(join(directory, publishedName));
  return record && record.generation > 0 ? record : undefined;
}

/** Undefined when there is no such file; a record that nobody owns when it cannot be read. */
async function readRecord(path: string): Promise<LeaseRecord | undefined> {
  let text: string;
  try {
    text = await readText(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return parseRecord(text);
}

const ownerless: LeaseRecord = { generation: 0, instance: "", socket: "" };

function parseRecord(text: string): LeaseRecord {
  try {
    const value = JSON.parse(text) as Partial<LeaseRecord>;
    const generation = value.generation ?? 0;
    if (!Number.isSafeInteger(generation) || generation < 1) return ownerless;
    return { generation, instance: String(value.instance), socket: String(value.socket) };
  } catch {
    return ownerless;
  }
}

function claimName(generation: number): string {
  return `lease.${generation}`;
}
