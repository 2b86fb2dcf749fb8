import { startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { startServer, tempHome } from "../../server/test/support/servers.ts";
import { approveAll, CopilotClient, defineTool, RuntimeConnection } from "../src/index.ts";

test("smoke", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  await using server = await startServer(home.path);
  const client = new CopilotClient({ connection: RuntimeConnection.forUri(`localhost:${server.port}`) });
  const asked: unknown[] = [];
  const session = await client.createSession({
    model: "scripted",
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
    streaming: true,
    onPermissionRequest: approveAll,
    availableTools: ["custom:*"],
    tools: [defineTool("lookup", { description: "x", parameters: { type: "object" }, handler: (args) => { asked.push(args); return "found"; } })],
  });
  const events: string[] = [];
  session.on((event) => events.push(event.type));
  const answer = await session.sendAndWait("echo hello");
  expect(answer?.data.content).toBe("hello");
  const two = await session.sendAndWait("tool lookup 2");
  expect(two?.data.content).toBe("done");
  expect(asked).toHaveLength(2);
  console.log(events.join(" "));
  console.log(await client.listSessions(), await client.getStatus(), (await session.getEvents()).length);
  console.log(await session.rpc.model.getCurrent(), Object.keys(session.rpc.queue), await client.rpc.ping({}));
  expect(await client.stop()).toEqual([]);
});
