import type { SessionEvent } from "@rightseat/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { EventFeed } from "./event-feed.ts";
import type { LogPage, PageRequest } from "./log-reader.ts";

/** A log as a server keeps it: durable events in order, the cursor counts them. */
class Log {
  readonly events: SessionEvent[] = [];
  readonly requests: PageRequest[] = [];
  pageSize = 3;
  expired = false;
  /** Called after a page was made and before it is answered, as what is told in between is. */
  onRead: () => void = () => undefined;

  add(id: string, more: object = {}): SessionEvent {
    const event = { id, type: "session.info", parentId: this.events.at(-1)?.id ?? null, data: {}, ...more };
    this.events.push(event as unknown as SessionEvent);
    return event as unknown as SessionEvent;
  }

  read = async (request: PageRequest): Promise<LogPage> => {
    this.requests.push(request);
    if (request.direction === "backward") {
      const events = this.events.slice(-this.pageSize);
      return {
        events,
        cursor: String(this.events.length - events.length),
        hasMore: false,
        cursorStatus: "ok",
      };
    }
    const from = Number(request.cursor ?? 0);
    if (this.expired || from > this.events.length)
      return { events: [], cursor: "0", hasMore: false, cursorStatus: "expired" };
    const events = this.events.slice(from, from + this.pageSize);
    const end = from + events.length;
    const page: LogPage = {
      events,
      cursor: String(end),
      hasMore: end < this.events.length,
      cursorStatus: "ok",
    };
    this.onRead();
    return page;
  };
}

const ephemeral = (id: string, parentId: string | null = null, type = "assistant.message_delta") =>
  ({ id, type, parentId, data: {}, ephemeral: true }) as unknown as SessionEvent;
const asking = (requestId: string) => ({ type: "external_tool.requested", data: { requestId } });

let log: Log;
let told: string[];
let again: string[];
let feed: EventFeed;
beforeEach(() => {
  log = new Log();
  told = [];
  again = [];
  feed = new EventFeed({
    deliver: (event) => told.push(event.id),
    askedAgain: (requestId) => again.push(requestId),
  });
});

/** A connection is lost, and another one made on which these arrive before the log is read. */
async function comeBack(...arrived: SessionEvent[]): Promise<void> {
  feed.drop();
  feed.hold();
  for (const event of arrived) feed.live(event);
  await feed.catchUp(log.read);
}

describe("events", () => {
  test("that were missed are read from the log, over several pages", async () => {
    feed.live(log.add("a"));
    for (const id of ["b", "c", "d", "e", "f"]) log.add(id);
    await comeBack();
    expect(told).toEqual(["a", "b", "c", "d", "e", "f"]);
  });

  test("that are being delivered are behind the place that is told meanwhile", async () => {
    const rests: string[][] = [];
    const reading = new EventFeed({
      deliver: () => {
        const { cursor, seen } = reading.position;
        const behind = log.events.slice(Number(cursor ?? 0)).filter(({ id }) => !seen?.has(id));
        rests.push(behind.map(({ id }) => id));
      },
      askedAgain: () => undefined,
    });
    for (const id of ["a", "b", "c", "d"]) log.add(id);
    reading.hold();
    reading.live(log.events.at(-1) as SessionEvent);
    await reading.catchUp(log.read);
    expect(rests).toEqual([["b", "c", "d"], ["c", "d"], ["d"], []]);
  });

  test("that arrive on the new connection come after those that were missed", async () => {
    feed.live(log.add("a"));
    log.add("b");
    log.add("c");
    await comeBack(ephemeral("d1", "c"), log.add("d"), ephemeral("d2", "d"));
    expect(told).toEqual(["a", "b", "c", "d1", "d", "d2"]);
  });

  test("that arrive while the log is read are told once", async () => {
    feed.live(log.add("a"));
    for (const id of ["b", "c", "d", "e"]) log.add(id);
    let next = 0;
    log.onRead = () => {
      if (next < 3) feed.live(log.add(`new${next++}`));
    };
    await comeBack();
    feed.live(log.add("z"));
    expect(told).toEqual(["a", "b", "c", "d", "e", "new0", "new1", "z"]);
  });

  test("are found again from a place some way before", async () => {
    for (const id of ["a", "b"]) feed.live(log.add(id));
    feed.setCursor("2");
    for (const id of ["c", "d", "e", "f"]) feed.live(log.add(id));
    log.add("g");
    await comeBack();
    expect(told).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    expect(log.requests[0]?.cursor).toBe("2");
  });

  test("of an ephemeral kind that arrived on a connection that was lost again are gone", async () => {
    feed.live(log.add("a"));
    feed.drop();
    feed.hold();
    feed.live(ephemeral("x"));
    feed.live(log.add("b"));
    await comeBack();
    expect(told).toEqual(["a", "b"]);
  });

  test("behind a place that the log has lost are found by the last one, from its end", async () => {
    feed.live(log.add("a"));
    feed.live(log.add("b"));
    log.expired = true;
    log.add("c");
    await comeBack();
    expect(told).toEqual(["a", "b", "c"]);
  });

  test("of a log that was cut back are not told again, and those behind the cut are told", async () => {
    for (const id of ["a", "b", "c"]) feed.live(log.add(id));
    feed.setCursor("3");
    log.events.splice(1);
    await comeBack(log.add("b2"));
    expect(told).toEqual(["a", "b", "c", "b2"]);
    log.add("c2");
    await comeBack();
    expect(told).toEqual(["a", "b", "c", "b2", "c2"]);
  });

  test("of a log that has nothing of what was told before are told", async () => {
    for (const id of ["a", "b"]) feed.live(log.add(id));
    log.events.length = 0;
    for (const id of ["x", "y"]) log.add(id);
    await comeBack();
    log.add("z");
    await comeBack();
    expect(told).toEqual(["a", "b", "x", "y", "z"]);
  });

  test("that were written behind a rewind are told, and those before it not again", async () => {
    for (const id of ["a", "b"]) feed.live(log.add(id));
    feed.setCursor("2");
    feed.live(log.add("c"));
    log.add("rewound", { parentId: "a" });
    // The rewind took `c` back: a server leaves it out of its pages.
    const { read } = log;
    const without = async (request: PageRequest) => {
      const page = await read(request);
      return { ...page, events: page.events.filter(({ id }) => id !== "c") };
    };
    log.add("d");
    feed.drop();
    feed.hold();
    await feed.catchUp(without);
    expect(told).toEqual(["a", "b", "c", "rewound", "d"]);
  });
});

describe("a question", () => {
  test("that is shown again is not told again, in or out of its place", async () => {
    feed.live(log.add("a"));
    const question = log.add("q", asking("r"));
    feed.live(question);
    feed.live(log.add("b"));
    await comeBack(question, ephemeral("q2", "b", "external_tool.requested"));
    // The second one has another request id.
    expect(told).toEqual(["a", "q", "b", "q2"]);
    expect(again).toEqual(["r"]);
  });

  test("from before the session was joined is told, and does not count as the place reached", async () => {
    log.add("first");
    const question = log.add("q", asking("r"));
    log.add("a");
    feed.hold();
    feed.live(question);
    feed.setCursor("3");
    feed.release();
    expect(told).toEqual(["q"]);
    log.add("b");
    await comeBack(question);
    expect(told).toEqual(["q", "b"]);
    expect(again).toEqual(["r"]);
  });

  test("that was missed and is shown again is told once, in its place", async () => {
    feed.live(log.add("a"));
    const question = log.add("q", asking("r"));
    log.add("b");
    await comeBack(question, log.add("c"));
    expect(told).toEqual(["a", "q", "b", "c"]);
    expect(again).toEqual(["r"]);
  });

  test("that the server asks anew after a crash is one that was asked before", async () => {
    feed.live(log.add("q", asking("r")));
    await comeBack({ ...ephemeral("q2", "q", "external_tool.requested"), data: { requestId: "r" } } as never);
    expect(told).toEqual(["q"]);
    expect(again).toEqual(["r"]);
  });
});
