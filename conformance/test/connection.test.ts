import { describe, expect, test } from "vitest";
import { newestSdk, oldestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { startWorld } from "../src/world.ts";

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("a client connects, and is told the versions of the server and of the protocol", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    expect(await client.getStatus()).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      protocolVersion: 3,
    });
  });

  test("a ping comes back with its message", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    expect(await client.ping("are you there")).toMatchObject({
      message: "pong: are you there",
      protocolVersion: 3,
    });
  });

  test("a server without an account says that nobody is signed in", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    expect(await client.getAuthStatus()).toMatchObject({ isAuthenticated: false });
  });

  test("a server that was given no token takes a client without one", async () => {
    await using world = await startWorld();
    const client = await world.connect(sdk);
    expect(await client.listSessions()).toEqual([]);
  });

  test("a client that brings no token is refused by a server that asks for one", async () => {
    await using world = await startWorld({ token: "the-secret" });
    await expect(world.connect(sdk)).rejects.toThrow("AUTHENTICATION_FAILED");
    const refused = world.wire.messages.flatMap(({ message }) =>
      message.error === undefined ? [] : [message.error],
    );
    expect(refused[0]).toMatchObject({ code: -32000, data: { reason: "authentication_failed" } });
  });
});

describe(`SDK ${newestSdk.version}`, () => {
  test("methods whose parameters are left out are answered", async () => {
    await using world = await startWorld();
    const client = await world.connect(newestSdk);
    const { rpc } = client as unknown as { rpc: Record<string, Record<string, () => Promise<object>>> };
    expect(await rpc["tools"]?.["list"]?.()).toHaveProperty("tools");
    expect(await rpc["commands"]?.["list"]?.()).toHaveProperty("commands");
    expect(await rpc["agents"]?.["discover"]?.()).toEqual({ agents: [] });
    expect(await rpc["instructions"]?.["discover"]?.()).toEqual({ sources: [] });
  });

  test("a client that brings the right token is let in", async () => {
    await using world = await startWorld({ token: "the-secret" });
    const client = await world.connect(newestSdk, "the-secret");
    expect(await client.ping("in")).toMatchObject({ message: "pong: in" });
  });

  test("a client that brings a wrong token is refused", async () => {
    await using world = await startWorld({ token: "the-secret" });
    await expect(world.connect(newestSdk, "a-guess")).rejects.toThrow("AUTHENTICATION_FAILED");
  });

  test("no answer and no log line shows the server's token", async () => {
    await using world = await startWorld({ token: "the-secret" });
    await expect(world.connect(newestSdk, "a-guess")).rejects.toThrow();
    const said = world.wire.messages.filter(({ from }) => from === "server");
    expect(JSON.stringify(said)).not.toContain("the-secret");
  });
});

// The SDKs of that version in Go and Java cannot connect to a server that says the time in another way.
test(`SDK ${oldestSdk.version}: a ping is answered with the time in milliseconds`, async () => {
  await using world = await startWorld();
  const client = await world.connect(oldestSdk);
  expect(await client.ping()).toMatchObject({ timestamp: expect.any(Number) });
});

test(`SDK ${newestSdk.version}: a ping is answered with the time as ISO 8601`, async () => {
  await using world = await startWorld();
  const client = await world.connect(newestSdk);
  expect(await client.ping()).toMatchObject({ timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
});

test(`SDK ${oldestSdk.version} is installed without the closed runtime that it depends on`, async () => {
  const { default: stand } = await import("@github/copilot/package.json", { with: { type: "json" } });
  expect(Object.keys(stand)).not.toContain("bin");
});
