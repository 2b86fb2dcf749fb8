/** No callback of the application stops the client: every callback there is, each way to fail. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { CopilotClient, RuntimeConnection } from "../src/index.ts";
import { type Misbehaviour, type Row, type Scene, TABLE } from "./support/callback-table.ts";
import { startRecordingServer } from "./support/recording-server.ts";

const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeAll(() => {
  process.on("unhandledRejection", note).on("uncaughtException", note);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled.splice(0)).toEqual([]);
});
afterAll(() => {
  process.off("unhandledRejection", note).off("uncaughtException", note);
});

const circular: Record<string, unknown> = { kind: "approve-once", action: "accept" };
circular["self"] = circular;
circular["content"] = circular;

const FAILING: Record<string, Misbehaviour> = {
  throws: () => {
    throw new Error("told why");
  },
  rejects: () => Promise.reject(new Error("told why")),
};
const ODD: Record<string, Misbehaviour> = {
  "throws what is no error": () => {
    throw null;
  },
  "rejects with what cannot be shown": () => Promise.reject(Object.create(null)),
  "gives nothing": () => undefined,
  "gives null": () => null,
  "gives a number": () => 5,
  "gives a BigInt": () => ({ kind: "approve-once", action: "accept", content: 5n, response: 5n, text: 5n }),
  "gives what is circular": () => circular,
  "gives a symbol": () => Symbol("odd"),
  "gives what throws when it is read": () =>
    new Proxy(() => undefined, {
      get: (_target, name) => {
        // What awaits it asks for this first.
        if (name === "then") return undefined;
        throw new Error("not to be read");
      },
    }),
  "gives what throws when it is awaited": () => ({
    // biome-ignore lint/suspicious/noThenProperty: what is awaited is looked at
    get then() {
      throw new Error("not to be awaited");
    },
  }),
};

const ROWS = Object.entries(TABLE).filter((entry): entry is [string, Row] => typeof entry[1] !== "string");

/** Connects well, and lets the callback misbehave from then on. */
async function withScene<T>(
  row: Row,
  misbehave: Misbehaviour,
  act: (scene: Scene) => Promise<T>,
): Promise<T> {
  await using server = await startRecordingServer();
  const warnings: string[] = [];
  let isUp = false;
  const callback: Misbehaviour = (...args) => (isUp ? misbehave(...args) : "good");
  const client = new CopilotClient({
    connection: RuntimeConnection.forUri(`localhost:${server.port}`),
    connectTimeoutMs: 200,
    reconnect: { initialDelayMs: 1, maxDelayMs: 2, giveUpAfterMs: 1 },
    onWarning: (message) => warnings.push(message),
    ...row.options?.(callback, server.port),
  });
  try {
    const session = await client.createSession({ sessionId: "s", ...row.config?.(callback) });
    isUp = true;
    return await act({ server, client, session, warnings, callback });
  } finally {
    isUp = false;
    expect(await client.stop()).toEqual([]);
  }
}

/** The client still does what it did. */
async function expectAlive({ client, session, server }: Scene): Promise<void> {
  if (client.getState() === "connected") await session.getEvents();
  expect(server.asked.length).toBeGreaterThan(1);
}

describe.each(ROWS)("%s", (_name, row) => {
  test.each(Object.entries(FAILING))("that %s is told of, and stops nothing", async (_way, misbehave) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await withScene(row, misbehave, async (scene) => {
      expect(await row.call(scene)).toEqual(row.failed);
      await expectAlive(scene);
    });
  });

  test.each(Object.entries(ODD))("that %s has an outcome, and stops nothing", async (_way, misbehave) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await withScene(row, misbehave, async (scene) => {
      expect(await row.call(scene)).toBeTypeOf("object");
      await expectAlive(scene);
    });
  });

  test("that never settles holds nothing else up, and the session and the client can be left", async () => {
    let called: () => void = () => undefined;
    const wasCalled = new Promise<void>((resolve) => {
      called = resolve;
    });
    const never = () => {
      called();
      return new Promise(() => undefined);
    };
    await withScene(row, never, async (scene) => {
      const outcome = row.call(scene);
      outcome.catch(() => undefined);
      await wasCalled;
      await (row.settles ? outcome : expectAlive(scene));
      if (scene.client.getState() === "connected") await scene.session.disconnect();
    });
  });
});
