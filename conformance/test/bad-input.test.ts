import { describe, expect, test } from "vitest";
import { RawClient } from "../src/raw-client.ts";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";

const enterWorld = shareRuntime();

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("resuming a session that there is not fails with an error that names it", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    await expect(client.resumeSession("nobody-made-this", world.session(new SeenEvents()))).rejects.toThrow(
      "nobody-made-this",
    );
  });

  test("creating a session without any provider or account fails with an error that says so", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const outcome = client
      .createSession({ ...world.session(seen), provider: undefined })
      .then(async (session) => {
        await session.send({ prompt: "echo hello" });
        await seen.until("session.error");
        throw new Error(seen.of("session.error")[0]?.data.message);
      });
    await expect(outcome).rejects.toThrow(/provider|account|sign|auth|token/i);
  });
});

describe("a client that sends what it should not", () => {
  test("an unknown session is refused with reason session_not_found", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request("session.send", { sessionId: "nobody-made-this", prompt: "hello" });
    expect(answer.error).toMatchObject({
      message: expect.stringContaining("nobody-made-this"),
      data: { reason: "session_not_found" },
    });
  });

  test("an unknown method is refused with -32601", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request("session.makeCoffee", { sugar: 2 });
    expect(answer.error).toMatchObject({
      code: -32601,
      message: expect.stringContaining("session.makeCoffee"),
    });
    expect((await client.request("coffee", {})).error).toMatchObject({
      code: -32601,
      data: { reason: "method_not_found" },
    });
  });

  test("wrong parameters are refused with -32602 and the path of what is wrong", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request("session.send", { sessionId: "any", prompt: 42 });
    expect(answer.error).toMatchObject({ code: -32602, data: { reason: "invalid_params", path: "prompt" } });
  });

  test("a missing parameter is refused with -32602 and its name", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request("session.send", { prompt: "hello" });
    expect(answer.error).toMatchObject({
      code: -32602,
      data: { reason: "invalid_params", path: "sessionId" },
    });
  });

  test.each([
    "session.create",
    "session.resume",
    "session.delete",
    "session.list",
    "session.getMessages",
    "session.detach",
    "session.destroy",
  ])("%s with parameters of a wrong kind is refused with -32602", async (method) => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request(method, { sessionId: 42, filter: "all" });
    expect(answer.error).toMatchObject({ code: -32602, data: { reason: "invalid_params" } });
  });

  test("parameters by position are refused with -32602", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    const answer = await client.request("session.send", ["any", "hello"]);
    expect(answer.error).toMatchObject({ code: -32602, data: { reason: "invalid_params" } });
  });

  test("a body that is not JSON is refused with -32700, and the connection goes on", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    client.sendBody("{ this is not JSON");
    const answer = await client.receive(({ id, error }) => id === null && error !== undefined);
    expect(answer.error).toMatchObject({ code: -32700 });
    expect((await client.request("ping", {})).result).toMatchObject({ message: "pong" });
  });

  test("a message that is no request is refused with -32600, and the connection goes on", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    client.sendBody(JSON.stringify({ jsonrpc: "2.0", id: 7, method: 42 }));
    expect((await client.receive(({ error }) => error !== undefined)).error).toMatchObject({ code: -32600 });
    expect((await client.request("ping", {})).result).toMatchObject({ message: "pong" });
  });

  test("bytes that are no frame are refused with -32700, and hurt no other connection", async () => {
    await using world = await enterWorld();
    await using other = await RawClient.connect(world.port);
    await using client = await RawClient.connect(world.port);
    client.sendBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect((await client.receive(({ error }) => error !== undefined)).error).toMatchObject({
      code: -32700,
      data: { reason: "parse_error" },
    });
    expect((await other.request("ping", {})).result).toMatchObject({ message: "pong" });
  });

  test("a notification that nobody knows is ignored", async () => {
    await using world = await enterWorld();
    await using client = await RawClient.connect(world.port);
    client.sendBody(JSON.stringify({ jsonrpc: "2.0", method: "nobody.listens", params: {} }));
    expect((await client.request("ping", {})).result).toMatchObject({ message: "pong" });
  });
});
