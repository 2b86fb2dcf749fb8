import { setImmediate as nextIteration } from "node:timers/promises";
import { RpcError } from "@rightseat/protocol";
import { expect, test, vi } from "vitest";
import { LogWriter } from "./log-writer.ts";

/** A writer over a log whose writes end when the test says so. */
function writerOn() {
  const writes: { lines: readonly string[]; commit: (end: number) => void; fail: (error: Error) => void }[] =
    [];
  const committed: string[] = [];
  const failures: [unknown, boolean][] = [];
  const log = {
    append: (_lease: unknown, lines: readonly string[]) =>
      new Promise<number>((commit, fail) => writes.push({ lines, commit, fail })),
  };
  const writer = new LogWriter<string>({
    log: log as never,
    lease: { tenant: "t", sessionId: "s", generation: 1 },
    onCommitted: (marks) => committed.push(...marks),
    onFailed: (error, isFirst) => failures.push([error, isFirst]),
  });
  return { writer, writes, committed, failures };
}

test("lines of one loop iteration are one write, told in their order when they are committed", async () => {
  const { writer, writes, committed } = writerOn();
  writer.add("a", "A");
  await Promise.resolve();
  writer.add("b");
  writer.add("c", "C");
  expect(writer.settled).toBe(false);
  await nextIteration();
  writer.add("d", "D");
  await vi.waitFor(() => expect(writes.map(({ lines }) => lines)).toEqual([["a", "b", "c"], ["d"]]));
  expect(committed).toEqual([]);
  writes[0]?.commit(3);
  writes[1]?.commit(4);
  await writer.committed();
  expect(committed).toEqual(["A", "C", "D"]);
  expect(writer).toMatchObject({ end: 4, settled: true });
});

test("a write waits for what it is held for, and takes along what is added meanwhile", async () => {
  const { writer, writes } = writerOn();
  let release!: () => void;
  writer.holdWhile(
    new Promise<void>((resolve) => {
      release = resolve;
    }),
  );
  writer.add("a");
  await nextIteration();
  await nextIteration();
  expect(writes).toEqual([]);
  writer.add("b");
  release();
  await vi.waitFor(() => expect(writes.map(({ lines }) => lines)).toEqual([["a", "b"]]));
});

test("after a write that failed nothing is written until that is forgotten", async () => {
  const { writer, writes, committed, failures } = writerOn();
  writer.add("a", "A");
  await vi.waitFor(() => expect(writes).toHaveLength(1));
  writer.add("b", "B");
  await vi.waitFor(() => expect(writes).toHaveLength(2));
  writer.add("c", "C");
  const last = writer.committed();
  const full = new Error("disk full");
  writes[0]?.fail(full);
  writes[1]?.fail(full);
  await expect(last).rejects.toMatchObject({ reason: "storage_unavailable" });
  expect(failures).toEqual([
    [full, true],
    [full, false],
  ]);
  expect(committed).toEqual([]);
  expect(() => writer.assertWorks()).toThrow(RpcError);
  await writer.whenSettled();
  writer.forgetUnwritten();
  writer.assertWorks();
  writer.add("d", "D");
  await vi.waitFor(() => expect(writes).toHaveLength(3));
  writes[2]?.commit(1);
  await writer.committed();
  expect(committed).toEqual(["D"]);
});

test("a write waits for everything that it is held for", async () => {
  const { writer, writes } = writerOn();
  const holds = [0, 1].map(() => {
    let release!: () => void;
    writer.holdWhile(new Promise<void>((resolve) => (release = resolve)));
    return release;
  });
  writer.add("a");
  holds[1]?.();
  for (let turn = 0; turn < 5; turn += 1) await nextIteration();
  expect(writes).toEqual([]);
  holds[0]?.();
  await vi.waitFor(() => expect(writes.map(({ lines }) => lines)).toEqual([["a"]]));
});

test("an older write may end after a newer one was refused", async () => {
  const { writer, writes } = writerOn();
  writer.add("a");
  await vi.waitFor(() => expect(writes).toHaveLength(1));
  writer.add("b");
  await vi.waitFor(() => expect(writes).toHaveLength(2));
  writes[1]?.fail(new Error("disk full"));
  const settled = writer.whenSettled();
  setImmediate(() => writes[0]?.commit(1));
  await settled;
  expect(writer).toMatchObject({ end: 1, settled: true, isBroken: true });
});
