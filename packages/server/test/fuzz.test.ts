/** Whatever comes over the wire: no crash, no hang, every request answered, every error typed. */
import { connect } from "node:net";
import { encodeFrame, FrameDecoder } from "@rightseat/protocol";
import { paramsValidators } from "@rightseat/protocol/validators";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pick, seeded } from "./support/random.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import { WireClient } from "./support/wire-client.ts";

const SEED = Number(process.env.RIGHTSEAT_FUZZ_SEED ?? 7);

let home: TempHome;
let server: TestServer;
beforeAll(async () => {
  home = await tempHome();
  server = await startServer(home.path, { flags: ["--demo", "--max-message-bytes", "65536"] });
});
afterAll(async () => {
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

/** Bytes in, everything that came back before the server closed or answered our last ping. */
async function exchange(
  bytes: Uint8Array,
): Promise<{ alive: boolean; errors: { code: number; data?: { reason?: string } }[] }> {
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  const client = new WireClient(socket);
  socket.write(bytes);
  const ping = client.request("ping", { message: "alive" }).then(
    () => true,
    () => false,
  );
  const alive = await Promise.race([ping, client.ended.then(() => false)]);
  const errors = client.strayErrors as { code: number; data?: { reason?: string } }[];
  await client.close();
  return { alive, errors };
}

const frame = (body: string) => encodeFrame(body);
const raw = (text: string) => new TextEncoder().encode(text);

describe("framing", () => {
  test.each([
    ["a header without a length", raw("X-Nothing: 1\r\n\r\n"), "parse_error"],
    ["a negative length", raw("Content-Length: -5\r\n\r\n"), "parse_error"],
    ["a length that is no number", raw("Content-Length: ten\r\n\r\n"), "parse_error"],
    ["a body that is not JSON", frame("{not json"), "parse_error"],
    [
      "a body that is not UTF-8",
      new Uint8Array([...raw("Content-Length: 2\r\n\r\n"), 0xc3, 0x28]),
      "parse_error",
    ],
    ["an empty body", frame(""), "parse_error"],
    ["a number", frame("42"), "invalid_request"],
    ["null", frame("null"), "invalid_request"],
    ["a batch", frame("[]"), "invalid_request"],
    ["an object that is no message", frame("{}"), "invalid_request"],
    ["an id that is an object", frame('{"jsonrpc":"2.0","id":{},"method":"ping"}'), "invalid_request"],
    ["a message larger than allowed", frame(JSON.stringify({ x: "y".repeat(70_000) })), "frame_too_large"],
  ])("%s is answered with a typed error and the connection goes on", async (_what, bytes, reason) => {
    const { alive, errors } = await exchange(bytes);
    expect(errors.map((error) => error.data?.reason)).toEqual([reason]);
    expect(alive).toBe(true);
  });

  test.each([
    [
      "with the id first",
      (x: string) => JSON.stringify({ jsonrpc: "2.0", id: 41, method: "ping", params: { x } }),
    ],
    ["with the id last", (x: string) => JSON.stringify({ method: "ping", params: { x, id: 3 }, id: 41 })],
    ["that is not UTF-8", () => '{"jsonrpc":"2.0","id":41,"method":"ping","params":{"x":"\xff"}}'],
  ])("a message larger than allowed, or unreadable, %s, is answered under its id", async (_what, toBody) => {
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    const answers: { id?: unknown; error?: { data?: { reason?: string } } }[] = [];
    const decoder = new FrameDecoder({
      maxFrameBytes: 1 << 20,
      onFrame: (body) => answers.push(JSON.parse(body)),
      onError: (error) => socket.destroy(error),
    });
    const body = Buffer.from(toBody("y".repeat(70_000)), "latin1");
    socket.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
    for await (const chunk of socket) {
      decoder.push(chunk);
      if (answers.length > 0) break;
    }
    expect(answers).toMatchObject([{ id: 41, error: { code: expect.any(Number) } }]);
  });

  test("a header without an end is answered with a typed error and the connection is closed", async () => {
    const { alive, errors } = await exchange(raw("A".repeat(20_000)));
    expect(errors.map((error) => error.data?.reason)).toEqual(["parse_error"]);
    expect(alive).toBe(false);
  });

  test("messages cut at every byte are put together again", async () => {
    const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
    const client = new WireClient(socket);
    const body = JSON.stringify({ jsonrpc: "2.0", id: "cut", method: "ping", params: { message: "ü✓" } });
    for (const byte of frame(body)) {
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.request("ping", { message: "after" })).toMatchObject({ message: "pong: after" });
    await client.close();
  });

  test("a thousand garbled streams leave the server answering", async () => {
    const random = seeded(SEED);
    for (let round = 0; round < 1000; round += 1) {
      const good = frame(JSON.stringify({ jsonrpc: "2.0", id: round, method: "ping", params: {} }));
      const bytes = Uint8Array.from(good);
      for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits -= 1) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      const socket = connect({ port: server.port, host: "127.0.0.1" });
      const client = new WireClient(socket);
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      socket.end(bytes);
      await client.ended;
    }
    expect(await exchange(new Uint8Array())).toEqual({ alive: true, errors: [] });
  });
});

const NASTY: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  "",
  "x",
  "../../etc/passwd",
  "\u0000",
  "\ud800",
  "__proto__",
  "constructor",
  "a".repeat(2000),
  [],
  [[]],
  [null],
  {},
  { __proto__: null },
  { toString: 1 },
  { length: -1 },
  { sessionId: {} },
];

describe("parameters", () => {
  const methods = [
    ...Object.keys(paramsValidators),
    "connect",
    "nothing",
    "session.nothing",
    "toString",
    "__proto__",
    "",
  ].filter((method) => method !== "runtime.shutdown");

  test("every method answers whatever it is given, with a result or a typed error", async () => {
    const random = seeded(SEED);
    const client = await server.connect();
    await client.request("session.create", { sessionId: "fuzz" });
    for (const method of methods) {
      for (const params of [...NASTY, ...Array.from({ length: 6 }, () => randomParams(random))]) {
        const answer = await client.request(method, params).then(
          (result) => ({ result }),
          (error) => ({ error }),
        );
        if ("error" in answer) {
          const { code, data } = answer.error as { code: number; data?: { reason?: string } };
          expect(typeof code, `${method} ${JSON.stringify(params)}: ${answer.error}`).toBe("number");
          expect(data?.reason, `${method} ${JSON.stringify(params)}: ${answer.error}`).toMatch(/^[a-z_]+$/);
          expect(data?.reason, `${method} ${JSON.stringify(params)}: ${answer.error}`).not.toBe(
            "internal_error",
          );
        }
      }
      // Some of that may have closed the session; the next method gets an open one.
      await client
        .request("session.resume", { sessionId: "fuzz" })
        .catch(() => client.request("session.create", { sessionId: "fuzz" }));
    }
    expect(server.log.filter((line) => line.level === "error")).toEqual([]);
    await client.close();
  }, 120_000);

  test("wrong parameters are named by their path", async () => {
    const client = await server.connect();
    await client.request("session.create", { sessionId: "paths" });
    const refused = await client
      .request("session.send", { sessionId: "paths", prompt: "hi", attachments: [{ type: "file", path: 5 }] })
      .catch((error) => error);
    expect(refused).toMatchObject({ code: -32602, data: { reason: "invalid_params" } });
    expect(refused.message).toContain("attachments[0]");
    await client.close();
  });
});

/** An object with known names and nasty values. */
function randomParams(random: () => number): Record<string, unknown> {
  const names = [
    "sessionId",
    "prompt",
    "attachments",
    "tools",
    "provider",
    "model",
    "requestId",
    "result",
    "cursor",
    "max",
    "waitMs",
    "types",
    "mode",
    "message",
    "filter",
    "path",
    "content",
    "systemMessage",
    "name",
    "modelId",
    "messages",
    "token",
  ];
  const params: Record<string, unknown> = random() < 0.7 ? { sessionId: "fuzz" } : {};
  for (let count = Math.floor(random() * 5); count > 0; count -= 1)
    params[pick(random, names)] = pick(random, NASTY);
  // A long poll would wait for as long as it says.
  if (typeof params.waitMs === "number") params.waitMs = 0;
  return params;
}
