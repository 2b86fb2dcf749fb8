/** A reader that does not keep up: what merges, what drops, what never does, and when it ends. */
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { type OutboundFrame, OutboundQueue } from "./outbound-queue.ts";

const bytes = (text: string) => Buffer.from(text);

/** A writable that holds every write until it is let go. */
function slowWritable() {
  const written: string[] = [];
  let held: (() => void) | undefined;
  const writable = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      held = done;
    },
  });
  const letGo = async () => {
    const done = held;
    held = undefined;
    done?.();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { writable, written, letGo };
}

function queue(writable: Writable, maxBytes = 1000) {
  const overflows: number[] = [];
  const outbound = new OutboundQueue(writable, {
    maxBytes,
    highWaterBytes: 10,
    onOverflow: (waiting) => overflows.push(waiting),
    onWriteError: () => undefined,
  });
  return { outbound, overflows };
}

const durable = (text: string): OutboundFrame => ({ frame: bytes(text), ephemeral: false });
const ephemeral = (text: string): OutboundFrame => ({ frame: bytes(text), ephemeral: true });
const delta = (text: string, key = "m"): OutboundFrame => ({
  frame: bytes(text),
  ephemeral: true,
  delta: { key, text, build: (merged) => bytes(merged) },
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("OutboundQueue", () => {
  test("writes all frames of a loop iteration at once, in order", async () => {
    const { writable, written } = slowWritable();
    const { outbound } = queue(writable);
    for (const text of ["a", "b", "c"]) outbound.push(durable(text));
    await turn();
    expect(written).toEqual(["abc"]);
  });

  test("merges deltas of one message while they wait, and only those", async () => {
    const { writable, written, letGo } = slowWritable();
    const { outbound } = queue(writable);
    outbound.push(durable("x".repeat(20)));
    await turn();
    for (const frame of [delta("one "), delta("two "), delta("three "), delta("other", "n"), durable("end")])
      outbound.push(frame);
    for (let round = 0; round < 6; round += 1) await letGo();
    expect(written.join("|")).toBe(`${"x".repeat(20)}|one two three |otherend`);
  });

  test("drops what is ephemeral when too much waits, and nothing else", async () => {
    const { writable, written, letGo } = slowWritable();
    const { outbound, overflows } = queue(writable, 100);
    outbound.push(durable("x".repeat(20)));
    await turn();
    for (let count = 0; count < 50; count += 1) outbound.push(ephemeral("eeeee"));
    for (let count = 0; count < 5; count += 1) outbound.push(durable(`d${count}`));
    for (let round = 0; round < 60; round += 1) await letGo();
    expect(outbound.dropped).toBeGreaterThan(0);
    expect(written.join("").replaceAll("e", "")).toBe(`${"x".repeat(20)}d0d1d2d3d4`);
    expect(overflows).toEqual([]);
  });

  test("gives the connection up when durable frames alone pass the bound", async () => {
    const { writable } = slowWritable();
    const { outbound, overflows } = queue(writable, 100);
    for (let count = 0; count < 30; count += 1) outbound.push(durable("0123456789"));
    expect(overflows).toHaveLength(1);
    outbound.push(durable("after"));
    expect(overflows).toHaveLength(1);
  });

  test("keeps other frames out of a streamed one", async () => {
    const { writable, written, letGo } = slowWritable();
    const { outbound } = queue(writable);
    async function* body() {
      yield bytes("part1 ");
      yield bytes("part2 ");
    }
    outbound.pushStreamed({ header: bytes("head "), body: body() });
    outbound.push(durable("after"));
    for (let round = 0; round < 8; round += 1) await letGo();
    expect(written.join("")).toBe("head part1 part2 after");
  });

  test("a frame larger than the socket's buffer does not hold up the next one, though no 'drain' follows it", async () => {
    const written: string[] = [];
    const writable = new Writable({
      highWaterMark: 1_000_000,
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString());
        done();
      },
    });
    const { outbound } = queue(writable);
    outbound.push(durable("x".repeat(50)));
    outbound.push(durable("next"));
    await outbound.flushed();
    expect(written.join("")).toBe(`${"x".repeat(50)}next`);
  });
});
