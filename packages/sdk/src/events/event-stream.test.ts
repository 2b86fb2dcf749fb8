import { expect, test } from "vitest";
import type { SessionEvent } from "../types/messages.ts";
import { EventStream } from "./event-stream.ts";

const event = (id: string, more: object = {}) =>
  ({ id, type: "session.info", data: {}, ...more }) as SessionEvent;

test("a reader that falls behind after it had read further than its session was told gets no event twice", async () => {
  const log = [event("a"), event("b")];
  const stream = new EventStream(
    {
      read: async () => ({ events: log as never, cursor: "end", hasMore: false, cursorStatus: "ok" }),
      // The session has been told of none of them yet.
      position: () => ({ cursor: undefined, seen: new Set() }),
      onEnd: () => undefined,
    },
    { from: "start", bufferSize: 1 },
  );
  const next = async () => (await stream.next()).value?.id;
  expect(await next()).toBe("a");
  stream.push(event("delta", { ephemeral: true }));
  expect(await next()).toBe("b");
  const third = next();
  log.push(event("c"));
  expect(await third).toBe("c");
  await stream.return();
});

test("a place to begin with that there is not is refused", () => {
  const source = {
    read: async () => undefined as never,
    position: () => ({ seen: new Set<string>() }),
    onEnd: () => undefined,
  };
  for (const from of ["sometime", null, 5])
    expect(() => new EventStream(source, { from: from as never })).toThrow('from: expected "now" or "start"');
});
