import { readFile } from "node:fs/promises";
import type { Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";

const enterWorld = shareRuntime();

const weather = (handler: (arguments_: { city: string }) => unknown): Tool<{ city: string }> => ({
  name: "weather",
  description: "The weather of a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  handler,
});

const callWeather = (...cities: string[]) => ({
  toolCalls: cities.map((city) => ({ name: "weather", arguments: { city } })),
});

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the model's call of a custom tool runs in the application, and its result goes to the model", async () => {
    await using world = await enterWorld();
    world.model.use([callWeather("Paris"), { text: "It rains." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const session = await client.createSession(
      world.session(seen, { tools: [weather(({ city }) => `rain in ${city}`)] }),
    );
    const answer = await session.sendAndWait({ prompt: "How is Paris?" });
    expect(answer?.data.content).toBe("It rains.");
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: How is Paris?",
      "assistant: 1 calls",
      "tool: rain in Paris",
    ]);
    expect(seen.of("tool.execution_complete").map(({ data }) => data.success)).toEqual([true]);
  });

  test("the model is offered the tool with its description and parameters", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const tool = weather(() => "");
    const session = await client.createSession(world.session(new SeenEvents(), { tools: [tool] }));
    await session.sendAndWait({ prompt: "echo hello" });
    const offered = world.model.requests[0]?.body["tools"] as { function: { name: string } }[];
    expect(offered.find((entry) => entry.function.name === "weather")?.function).toMatchObject({
      name: "weather",
      description: tool.description,
      parameters: tool.parameters,
    });
  });

  test("a turn of many calls in a row runs them in order", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const counted: number[] = [];
    const count: Tool<{ n: number }> = {
      name: "count",
      parameters: { type: "object", properties: { n: { type: "number" }, value: { type: "string" } } },
      handler: ({ n }: { n: number }) => `${counted.push(n)}`,
    };
    const session = await client.createSession(world.session(new SeenEvents(), { tools: [count] }));
    const answer = await session.sendAndWait({ prompt: "tool count 5" });
    expect(answer?.data.content).toBe("done");
    expect(counted).toEqual([0, 1, 2, 3, 4]);
  });

  test("three calls in one answer of the model run at the same time, and each result goes to its call", async () => {
    await using world = await enterWorld();
    world.model.use([callWeather("Oslo", "Rome", "Lima"), { text: "Mixed." }]);
    const client = await world.connect(sdk);
    const all = createGate();
    let running = 0;
    const tool = weather(async ({ city }) => {
      if (++running === 3) all.open();
      await all.opened;
      return `sun in ${city}`;
    });
    const session = await client.createSession(world.session(new SeenEvents(), { tools: [tool] }));
    const answer = await session.sendAndWait({ prompt: "How are all three?" });
    expect(answer?.data.content).toBe("Mixed.");
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: How are all three?",
      "assistant: 3 calls",
      "tool: sun in Oslo",
      "tool: sun in Rome",
      "tool: sun in Lima",
    ]);
  });

  test("forty calls that ask permission and are waited for at once are nothing to warn of", async () => {
    await using world = await enterWorld();
    const cities = Array.from({ length: 40 }, (_, index) => `city ${index}`);
    world.model.use([callWeather(...cities), { text: "All of them." }]);
    const client = await world.connect(sdk);
    const all = createGate();
    let running = 0;
    const tool = weather(async ({ city }) => {
      if (++running === cities.length) all.open();
      await all.opened;
      return city;
    });
    const session = await client.createSession(world.session(new SeenEvents(), { tools: [tool] }));
    expect((await session.sendAndWait({ prompt: "How is everywhere?" }))?.data.content).toBe("All of them.");
    expect(toldToModel(world.model.requests[1]).slice(2)).toEqual(cities.map((city) => `tool: ${city}`));
  });

  test("a result that is too large for the model is kept in a file, which it is told", async () => {
    await using world = await enterWorld();
    world.model.use([callWeather("Oslo"), { text: "A lot." }]);
    const client = await world.connect(sdk);
    const report = "rain\n".repeat(20_000);
    const session = await client.createSession(
      world.session(new SeenEvents(), { tools: [weather(async () => report)] }),
    );
    expect((await session.sendAndWait({ prompt: "How is Oslo?" }))?.data.content).toBe("A lot.");
    const told = toldToModel(world.model.requests[1]).at(-1) ?? "";
    expect(told.length).toBeLessThan(2000);
    expect(await readFile(/Saved to: (\S+)/.exec(told)?.[1] ?? "", "utf8")).toBe(report);
  });

  test("a tool that answers with a failure is told to the model as one, and the turn goes on", async () => {
    await using world = await enterWorld();
    world.model.use([callWeather("Atlantis"), { text: "No idea." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const tool = weather(() => ({
      resultType: "failure",
      textResultForLlm: "no such city",
      error: "not on the map",
    }));
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    const answer = await session.sendAndWait({ prompt: "How is Atlantis?" });
    expect(answer?.data.content).toBe("No idea.");
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("no such city");
    expect(seen.of("tool.execution_complete").map(({ data }) => data.success)).toEqual([false]);
  });

  test("what a tool throws is in the event and not told to the model, and the turn goes on", async () => {
    await using world = await enterWorld();
    world.model.use([callWeather("Paris"), { text: "It failed." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const tool = weather(() => {
      throw new Error("the password is swordfish");
    });
    const session = await client.createSession(world.session(seen, { tools: [tool] }));
    const answer = await session.sendAndWait({ prompt: "How is Paris?" });
    expect(answer?.data.content).toBe("It failed.");
    expect(seen.of("tool.execution_complete")[0]?.data).toMatchObject({
      success: false,
      error: { message: expect.stringContaining("swordfish") },
    });
    expect(JSON.stringify(world.model.requests)).not.toContain("swordfish");
  });

  test("a call of a tool that nobody offers is told to the model as a failure, and the turn goes on", async () => {
    await using world = await enterWorld();
    world.model.use([{ toolCalls: [{ name: "no_such_tool", arguments: {} }] }, { text: "Sorry." }]);
    const client = await world.connect(sdk);
    const session = await client.createSession(world.session(new SeenEvents()));
    const answer = await session.sendAndWait({ prompt: "Use it." });
    expect(answer?.data.content).toBe("Sorry.");
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("no_such_tool");
  });
});
