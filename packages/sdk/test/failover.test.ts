/** Servers that end, and others that go on with their sessions. */
import {
  type FaultProxy,
  type ScriptedModelServer,
  startFaultProxy,
  startScriptedModelServer,
} from "@rightseat/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pick, seeded } from "../../server/test/support/random.ts";
import {
  type ServerProcess,
  spawnServer,
  type TempHome,
  tempHome,
} from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection, type Tool } from "../src/index.ts";
import { expectAllEventsOnce, expectPromptsOnce, witness } from "./support/conversation.ts";

const KILLS = Number(process.env.RIGHTSEAT_SDK_KILLS ?? 6);
const SEED = Number(process.env.RIGHTSEAT_SDK_SEED ?? 20261123);

let model: ScriptedModelServer;
let home: TempHome;
const servers = new Set<ServerProcess>();
const clients = new Set<CopilotClient>();

beforeAll(async () => {
  model = await startScriptedModelServer();
});
beforeEach(async () => {
  model.use(undefined);
  home = await tempHome();
});
afterEach(async () => {
  await Promise.all([...clients].map((client) => client.forceStop()));
  await Promise.all([...servers].map((server) => server.kill("SIGKILL")));
  clients.clear();
  servers.clear();
  await home[Symbol.asyncDispose]();
});
afterAll(() => model.close());

async function startServer(): Promise<ServerProcess> {
  const server = await spawnServer(home.path, ["--log-level", "error"]);
  servers.add(server);
  return server;
}

function connectTo(ports: readonly number[]): CopilotClient {
  const client = new CopilotClient({
    connection: RuntimeConnection.forUris(ports.map((port) => `localhost:${port}`)),
    reconnect: { initialDelayMs: 20, maxDelayMs: 200 },
  });
  clients.add(client);
  return client;
}

/** A tool that runs until the test says what came of it. */
function slowTool() {
  let calls = 0;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let end: (result: string) => void = () => undefined;
  const tool: Tool = {
    name: "slow",
    description: "Takes its time",
    parameters: { type: "object", properties: {} },
    skipPermission: true,
    handler: () => {
      calls += 1;
      begin();
      return new Promise<string>((resolve) => {
        end = resolve;
      });
    },
  };
  return { tool, begun, calls: () => calls, finish: (result: string) => end(result) };
}

describe("two servers on one home", () => {
  test("a session goes on at the other when its own is killed", async () => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    const client = connectTo([first.port, second.port]);
    const seen = witness(model);
    const session = await client.createSession(seen.config);
    expect((await session.sendAndWait("echo one"))?.data.content).toBe("one");
    expect(client.address).toBe(`localhost:${first.port}`);
    await first.kill("SIGKILL");
    expect((await session.sendAndWait("echo two"))?.data.content).toBe("two");
    expect(client.address).toBe(`localhost:${second.port}`);
    await expectPromptsOnce(session, ["echo one", "echo two"]);
    await expectAllEventsOnce(seen, session);
    expect(await client.stop()).toEqual([]);
  });

  test("a turn that was under way is gone on with at the other", async () => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    // The first server's call never ends; the second one's does.
    model.use([{ hang: true }]);
    const before = model.requests.length;
    const client = connectTo([first.port, second.port]);
    const seen = witness(model);
    const session = await client.createSession(seen.config);
    const answer = session.sendAndWait("echo late");
    await model.until(({ requests }) => requests.length > before);
    await first.kill("SIGKILL");
    expect((await answer)?.data.content).toBe("late");
    await expectPromptsOnce(session, ["echo late"]);
    await expectAllEventsOnce(seen, session);
  });

  test.each([
    ["its server was killed", (first: ServerProcess) => first.kill("SIGKILL")],
    ["the way to its server was cut", (_: ServerProcess, proxy: FaultProxy) => proxy.close()],
    ["its server was heard of no more", (_: ServerProcess, proxy: FaultProxy) => proxy.freeze()],
  ])("a tool that was at work when %s runs once, and its result counts", async (_name, fault) => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    await using proxy = await startFaultProxy({ port: first.port, random: () => 1 });
    const client = connectTo([proxy.port, second.port]);
    const slow = slowTool();
    const seen = witness(model, { tools: [slow.tool] });
    const session = await client.createSession(seen.config);
    const answer = session.sendAndWait("tool slow 1");
    await slow.begun;
    await fault(first, proxy);
    await session.rpc.metadata.isProcessing();
    slow.finish("the result");
    expect((await answer)?.data.content).toBe("done");
    expect(client.address).toBe(`localhost:${second.port}`);
    expect(slow.calls()).toBe(1);
    const completed = seen.events.filter(({ type }) => type === "tool.execution_complete");
    expect(completed).toMatchObject([{ data: { success: true, result: { content: "the result" } } }]);
    await expectAllEventsOnce(seen, session);
  });

  test("a session that waits for a client that is there stays where it is", async () => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    const [client, other] = [connectTo([first.port]), connectTo([second.port])];
    const slow = slowTool();
    const seen = witness(model, { tools: [slow.tool] });
    const session = await client.createSession(seen.config);
    const answer = session.sendAndWait("tool slow 1");
    await slow.begun;
    await expect(other.resumeSession(session.sessionId)).rejects.toMatchObject({
      data: { reason: "session_in_use" },
    });
    slow.finish("the result");
    expect((await answer)?.data.content).toBe("done");
  });

  test("a server that ends in order hands its sessions over", async () => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    const client = connectTo([first.port, second.port]);
    const seen = witness(model);
    const sessions = await Promise.all([1, 2, 3].map(() => client.createSession(seen.config)));
    for (const session of sessions) await session.sendAndWait("echo before");
    const [code] = await Promise.all([
      first.kill("SIGTERM"),
      ...sessions.map(async (session) =>
        expect((await session.sendAndWait("echo after"))?.data.content).toBe("after"),
      ),
    ]);
    expect(code).toBe(0);
    for (const session of sessions) await expectPromptsOnce(session, ["echo before", "echo after"]);
  });

  test("a server that stops answering is left for the other", async () => {
    const [first, second] = await Promise.all([startServer(), startServer()]);
    await using proxy = await startFaultProxy({ port: first.port, random: () => 1 });
    const client = connectTo([proxy.port, second.port]);
    const seen = witness(model);
    const session = await client.createSession(seen.config);
    await session.sendAndWait("echo one");
    proxy.freeze();
    expect((await session.sendAndWait("echo two"))?.data.content).toBe("two");
    expect(client.address).toBe(`localhost:${second.port}`);
    await expectPromptsOnce(session, ["echo one", "echo two"]);
    await expectAllEventsOnce(seen, session);
  });

  test("an address that never answers is passed over", async () => {
    const server = await startServer();
    await using proxy = await startFaultProxy({ port: server.port, random: () => 1 });
    proxy.freeze();
    const client = connectTo([proxy.port, server.port]);
    await client.start();
    expect(client.address).toBe(`localhost:${server.port}`);
  });
});

describe("one server", () => {
  test(`killed ${KILLS} times in the middle of conversations, and started again`, async () => {
    const random = seeded(SEED);
    let server = await startServer();
    await using proxy = await startFaultProxy({ port: server.port, random });
    const client = connectTo([proxy.port]);
    let talking = true;
    const talk = async () => {
      const seen = witness(model);
      const session = await client.createSession(seen.config);
      const prompts: string[] = [];
      while (talking) {
        const prompt = pick(random, [`echo ${prompts.length}`, "words 20", "tool lookup 2"]);
        prompts.push(prompt);
        await session.sendAndWait(prompt, 60_000);
      }
      return { session, seen, prompts };
    };
    const talks = [talk(), talk(), talk()];
    for (let kill = 0; kill < KILLS; kill++) {
      const answered = model.requests.length + Math.ceil(random() * 20);
      await model.until(({ requests }) => requests.length >= answered);
      await server.kill("SIGKILL");
      servers.delete(server);
      server = await startServer();
      proxy.retarget(server.port);
    }
    talking = false;
    for (const { session, seen, prompts } of await Promise.all(talks)) {
      await expectPromptsOnce(session, prompts);
      await expectAllEventsOnce(seen, session);
      expect([...seen.calls.values()].filter((count) => count !== 1)).toEqual([]);
    }
    expect(await client.stop()).toEqual([]);
    await proxy.until(({ open }) => open === 0);
  }, 120_000);
});
