import { expect, test } from "vitest";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const call = (query: string) => ({
  toolCalls: [{ name: "sql", arguments: { description: "Plan", query } }],
});
const PLAN = `INSERT INTO todos (id, title) VALUES ('dig', 'Dig a hole');
INSERT INTO todos (id, title, description) VALUES ('plant', 'Plant a tree', 'An oak');
INSERT INTO todo_deps (todo_id, depends_on) VALUES ('plant', 'dig');`;

test("todos that the model keeps are told of and read, and outlive kill -9", async () => {
  await using world = await startWorld();
  world.model.use([call(PLAN), { text: "planned" }]);
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));
  expect((await session.rpc.plan.readSqlTodos()).rows).toEqual([]);
  await session.sendAndWait({ prompt: "Plan it." });
  await seen.until("session.todos_changed");
  const planned = await session.rpc.plan.readSqlTodosWithDependencies();
  expect(planned).toEqual({
    rows: [
      { id: "dig", title: "Dig a hole", status: "pending", createdAt: expect.any(String) },
      {
        id: "plant",
        title: "Plant a tree",
        description: "An oak",
        status: "pending",
        createdAt: expect.any(String),
      },
    ],
    dependencies: [{ todoId: "plant", dependsOn: "dig" }],
  });

  await world.restart("SIGKILL");
  world.model.use([call("UPDATE todos SET status = 'done' WHERE id = 'dig'"), { text: "dug" }]);
  const again = await world.connect(newestSdk);
  const resumed = await again.resumeSession(session.sessionId, world.session(new SeenEvents()));
  expect(await resumed.rpc.plan.readSqlTodosWithDependencies()).toEqual(planned);
  await resumed.sendAndWait({ prompt: "Dig." });
  expect((await resumed.rpc.plan.readSqlTodos()).rows.map(({ status }) => status)).toEqual([
    "done",
    "pending",
  ]);
});

test("sessions do not see each other's todos", async () => {
  await using world = await startWorld();
  world.model.use([
    call(PLAN),
    { text: "planned" },
    call("SELECT count(*) AS n FROM todos"),
    { text: "none" },
  ]);
  const client = await world.connect(newestSdk);
  const first = await client.createSession(world.session(new SeenEvents()));
  await first.sendAndWait({ prompt: "Plan it." });
  const second = await client.createSession(world.session(new SeenEvents()));
  await second.sendAndWait({ prompt: "What is there?" });
  expect(JSON.stringify(toldToModel(world.model.requests.at(-1)))).toContain("| 0 |");
});
