import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { startWorld } from "../src/world.ts";

test("a session's own files, plan and summaries outlive the runtime", async () => {
  await using world = await startWorld();
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));
  const { workspaces } = session.rpc;
  await workspaces.createFile({ path: "notes/one.md", content: "# One" });
  const { saved } = await workspaces.saveLargePaste({ content: "pasted ✓" });
  expect(await readFile(saved!.filePath, "utf8")).toBe("pasted ✓");
  await workspaces.addSummary({ title: "First part", content: "What was done." });
  await session.rpc.plan.update({ content: "# Plan" });
  await seen.until("session.plan_changed");
  expect(seen.of("session.workspace_file_changed").map(({ data }) => data)).toEqual([
    { path: "notes/one.md", operation: "create" },
    { path: saved!.filename, operation: "create" },
  ]);

  await world.restart("SIGKILL");
  const again = await world.connect(newestSdk);
  const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
  const there = resumed.rpc.workspaces;
  expect((await there.listFiles()).files).toEqual(["notes/one.md", saved!.filename]);
  expect(await there.readFile({ path: saved!.filename })).toEqual({ content: "pasted ✓" });
  expect((await there.listCheckpoints()).checkpoints).toMatchObject([{ number: 1, title: "First part" }]);
  expect((await there.readCheckpoint({ number: 1 })).content).toContain("What was done.");
  expect((await there.readCheckpoint({ number: 2 })).content).toBeNull();
  expect((await resumed.rpc.plan.read()).content).toBe("# Plan");
  expect(await there.getWorkspace()).toMatchObject({
    workspace: { id: session.sessionId, summary_count: 1 },
    path: expect.stringContaining(session.sessionId),
  });
  await expect(there.createFile({ path: "../plan.md", content: "mine" })).rejects.toThrow(/directory/);
  expect(await there.diff({ mode: "unstaged" })).toMatchObject({ mode: "unstaged", isFallback: false });
});
