import { expect, test } from "vitest";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";

const enterWorld = shareRuntime();

test("a person's commands run in the session: in the background, to their end, or until they are ended", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));

  const { processId } = await session.rpc.shell.exec({ command: "echo hello; sleep 1000" });
  await seen.until("tool.execution_partial_result");
  expect((await session.rpc.metadata.activity()).hasActiveWork).toBe(true);
  expect(await session.rpc.shell.kill({ processId })).toEqual({ killed: true });
  await seen.until("tool.execution_complete");
  expect(await session.rpc.shell.kill({ processId })).toEqual({ killed: false });

  const ran = await session.rpc.shell.executeUserRequested({ requestId: "r", command: "echo done" });
  expect(ran).toMatchObject({ success: true, output: "done\n", exitCode: 0 });
  expect(await session.rpc.shell.cancelUserRequested({ requestId: "r" })).toEqual({ cancelled: false });
  const history = await session.getEvents();
  expect(history.map(({ type }) => type)).toEqual([
    "session.start",
    "tool.user_requested",
    "tool.execution_complete",
  ]);
});
