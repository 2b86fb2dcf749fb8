import { open } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DescriptorCache } from "./descriptor-cache.ts";
import { SessionFile, type SessionFileHost } from "./session-file.ts";

const openFile = promisify(open);

let directory: string;
let lost: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "session-file-"));
  lost = [];
});
afterEach(() => rm(directory, { recursive: true }));

const logOf = (sessionId: string) => join(directory, sessionId);

function sessions(looks: Pick<SessionFileHost, "lookForLease" | "isHeld">) {
  const host: SessionFileHost = {
    descriptors: new DescriptorCache(8, ({ sessionId }: SessionFile) => openFile(logOf(sessionId), "a")),
    syncAfterWrite: false,
    syncEntries: async () => undefined,
    onLost: ({ sessionId }) => lost.push(sessionId),
    ...looks,
  };
  const start = { generation: 1, end: 0, entriesSynced: true };
  return (sessionId: string) => new SessionFile(host, { tenant: "default", sessionId }, start);
}

const unasked = () => {
  throw new Error("the disk was asked synchronously");
};

it("a disk that does not answer for one session's lease holds up no other, and is not waited for synchronously", async () => {
  // As long as a disk that is slow.
  const slowly = () => new Promise<boolean>((resolve) => setTimeout(resolve, 25, true));
  const open = sessions({
    lookForLease: async ({ sessionId }) => sessionId !== "slow" || slowly(),
    isHeld: ({ sessionId }) => (sessionId === "slow" ? unasked() : true),
  });
  const [slow, other] = [open("slow"), open("other")];
  const acknowledged: string[] = [];
  await Promise.all([
    slow.append(["late"]).then(() => acknowledged.push("slow")),
    other.append(["at once"]).then(() => acknowledged.push("other")),
  ]);
  expect(acknowledged).toEqual(["other", "slow"]);
  await Promise.all([slow.retire("over"), other.retire("over")]);
});

it("an owner whose lease is gone writes nothing, and is told once", async () => {
  const session = sessions({ lookForLease: async () => false, isHeld: unasked })("gone");
  const refusals = await Promise.allSettled([session.append(["a"]), session.append(["b"])]);
  expect(refusals.map((refusal) => refusal.status === "rejected" && refusal.reason.kind)).toEqual([
    "conflict",
    "conflict",
  ]);
  expect(lost).toEqual(["gone"]);
  await expect(readFile(logOf("gone"))).rejects.toThrow();
});

it("what was written while the lease went is not acknowledged", async () => {
  const session = sessions({ lookForLease: async () => true, isHeld: () => false })("went");
  await expect(session.append(["a"])).rejects.toMatchObject({ kind: "conflict" });
  expect(lost).toEqual(["went"]);
});
