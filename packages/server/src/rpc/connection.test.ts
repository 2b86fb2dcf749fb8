import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { encodeFrame } from "@rightseat/protocol";
import { expect, test, vi } from "vitest";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { LazyValidators } from "./lazy-validators.ts";
import { LoopShares } from "./loop-share.ts";
import type { Principal } from "./principal.ts";

const ROLE = "user";
const principal = { name: "acme", tenant: "acme", role: ROLE } as Principal;
const silent = () => undefined;

/** A connection of a tenant over a stream that gives what it is told to in one piece. */
function connected(methods: ConnectionOptions["methods"], shares = new LoopShares()) {
  const answers: Buffer[] = [];
  const stream = new Duplex({
    read: silent,
    write: (piece: Buffer, _, done) => {
      answers.push(piece);
      done();
    },
  });
  const connection = new Connection(stream, {
    methods,
    validators: new LazyValidators(async () => ({})),
    gate: { anonymous: () => principal } as ConnectionOptions["gate"],
    roleFor: () => ROLE,
    isAudited: () => false,
    version: "0",
    maxMessageBytes: () => 1 << 26,
    maxWaitingBytes: 1 << 26,
    mayHold: () => true,
    countReceived: () => 0,
    shareOf: (tenant) => shares.of(tenant),
    refusalOfMethod: silent,
    log: { debug: silent, warning: silent, error: silent, seldom: silent },
    onAdmitted: silent,
    onClose: silent,
  });
  const answered = () => Buffer.concat(answers).toString().split("Content-Length").length - 1;
  return { stream, connection, answered };
}

const call = (id: number) => Buffer.from(encodeFrame(JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })));

/** An answer that takes the thread for so long. */
function busy(ms: number): object {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
  return {};
}

test("messages that come at once are carried out in their order, and others have their turn in between", async () => {
  const seen: number[] = [];
  const { stream, connection, answered } = connected({
    ping: () => {
      seen.push(seen.length);
      return busy(5);
    },
  });
  stream.push(Buffer.concat(Array.from({ length: 6 }, (_, id) => call(id))));
  const counts = new Set<number>();
  while (answered() < 6) {
    counts.add(seen.length);
    await turn();
  }
  // One of them, or none, from one look to the next.
  for (const count of [1, 2, 3, 4, 5]) expect(counts).toContain(count);
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  connection.close("done");
});

test("a tenant that has had more than its share is read later, on all of its connections", async () => {
  const shares = new LoopShares();
  shares.of("other").took(0, performance.now());
  const [greedy, second] = [
    connected({ ping: () => busy(110) }, shares),
    connected({ ping: () => ({}) }, shares),
  ];
  greedy.stream.push(call(1));
  await vi.waitFor(() => expect(greedy.answered()).toBe(1));
  second.stream.push(call(1));
  for (let round = 0; round < 5; round += 1) await turn();
  expect(second.answered()).toBe(0);
  await vi.waitFor(() => expect(second.answered()).toBe(1));
  for (const { connection } of [greedy, second]) connection.close("done");
});

test("a connection that ends while it rests leaves nothing behind", async () => {
  const seen = vi.fn(() => busy(5));
  const { stream, connection } = connected({ ping: seen });
  stream.push(Buffer.concat([call(1), call(2), call(3)]));
  await vi.waitFor(() => expect(seen).toHaveBeenCalled());
  connection.close("it is enough");
  const before = seen.mock.calls.length;
  for (let round = 0; round < 5; round += 1) await turn();
  expect(seen).toHaveBeenCalledTimes(before);
});
