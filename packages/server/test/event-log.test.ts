/** Reading a session's events by a cursor: what is told between two reads, in the order in which it was told. */
import { startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

interface Page {
  readonly events: WireEvent[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly cursorStatus: string;
}

interface World extends AsyncDisposable {
  readonly client: WireClient;
  read(params: object): Promise<Page>;
  tail(): Promise<string>;
  note(message: string, ephemeral?: boolean): Promise<string>;
  /** All pages behind a cursor, and the one behind them. */
  all(cursor: string, more?: object): Promise<{ events: WireEvent[]; cursor: string }>;
}

async function world(): Promise<World> {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  const server = await startServer(home.path);
  const client = await server.connect();
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" };
  await client.request("session.create", {
    ...{ sessionId: "s", model: "scripted", streaming: true, provider },
    ...{ availableTools: [] },
  });
  const read = (params: object): Promise<Page> =>
    client.request("session.eventLog.read", { sessionId: "s", ...params });
  return {
    client,
    read,
    tail: async () => (await client.request("session.eventLog.tail", { sessionId: "s" })).cursor,
    note: async (message, ephemeral = false) =>
      (await client.request("session.log", { sessionId: "s", message, ephemeral })).eventId,
    all: async (start, more = {}) => {
      const events: WireEvent[] = [];
      for (let cursor = start; ; ) {
        const page = await read({ cursor, ...more });
        events.push(...page.events);
        cursor = page.cursor;
        if (!page.hasMore) return { events, cursor };
      }
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const ids = (events: readonly WireEvent[]) => events.map(({ id }) => id);

test("ephemeral events between a cursor of tail and the read are told, in order with the durable ones", async () => {
  await using w = await world();
  const cursor = await w.tail();
  const before = w.client.of("s").length;
  await w.client.ask("s", "words 20");
  const told = w.client.of("s").slice(before);
  expect(told.filter(({ type }) => type === "assistant.message_delta").length).toBeGreaterThan(1);
  const { events } = await w.all(cursor, { max: 3 });
  // Clients are told deltas in fewer pieces; everything else is the same.
  const others = (list: readonly WireEvent[]) => ids(list.filter(({ type }) => !type.endsWith("_delta")));
  expect(others(events)).toEqual(others(told));
  const text = events.map(({ type, data }) => (type === "assistant.message_delta" ? data.deltaContent : ""));
  expect(text.join("")).toBe((await w.client.event("s", "assistant.message")).data.content);
  expect(ids(events.filter(({ ephemeral }) => !ephemeral))).toEqual(
    ids((await w.all(cursor, { includeEphemeral: false })).events),
  );
});

test("each is told once, page after page, whatever the size of the pages", async () => {
  await using w = await world();
  const start = await w.tail();
  const expected: string[] = [];
  for (let n = 0; n < 7; n += 1) expected.push(await w.note(`n${n}`, n % 3 !== 0));
  for (const max of [1, 2, 3, 100]) expect(ids((await w.all(start, { max })).events)).toEqual(expected);
  const { cursor } = await w.all(start);
  expect((await w.read({ cursor })).events).toEqual([]);
  const last = await w.note("last", true);
  expect(ids((await w.read({ cursor })).events)).toEqual([last]);
});

test("a read that waits leaves nothing out that is more than it takes at once", async () => {
  await using w = await world();
  let cursor = await w.tail();
  const expected: string[] = [];
  const seen: string[] = [];
  const reading = (async () => {
    while (seen.length < 30) {
      const page = await w.read({ cursor, max: 2, waitMs: 10_000 });
      seen.push(...ids(page.events));
      cursor = page.cursor;
    }
  })();
  await Promise.all(
    Array.from({ length: 30 }, async (_, n) => expected.push(await w.note(`n${n}`, n % 2 === 0))),
  );
  await reading;
  expect(new Set(seen)).toEqual(new Set(expected));
  expect(seen).toHaveLength(30);
});

test("of ephemeral events the newest are kept; durable ones are all told", async () => {
  await using w = await world();
  const cursor = await w.tail();
  const first = await w.note("first");
  for (let n = 0; n < 12; n += 1) await w.note("x".repeat(100_000), true);
  const last = await w.note("last");
  const { events } = await w.all(cursor);
  expect(ids(events.filter(({ ephemeral }) => !ephemeral))).toEqual([first, last]);
  const kept = events.filter(({ ephemeral }) => ephemeral).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(12);
});

test("a cursor behind the end has expired: what is left is told from its beginning", async () => {
  await using w = await world();
  await w.note("hello");
  const whole = await w.read({});
  expect(await w.read({ cursor: "999999999" })).toMatchObject({
    cursorStatus: "expired",
    events: whole.events,
  });
  expect(await w.read({ cursor: "999999999", direction: "backward" })).toMatchObject({
    cursorStatus: "expired",
    events: whole.events,
  });
  await expect(w.read({ cursor: "1-x" })).rejects.toMatchObject({ data: { reason: "invalid_params" } });
});
