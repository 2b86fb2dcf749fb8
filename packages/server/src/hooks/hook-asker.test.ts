import { describe, expect, test } from "vitest";
import { HookAsker } from "./hook-asker.ts";
import type { HookSource } from "./hook-source.ts";

function createAsker(sources: readonly HookSource[], deadlineMs = 60_000) {
  const events: [string, Record<string, unknown>][] = [];
  const warnings: string[] = [];
  const asker = new HookAsker({
    sessionId: "s",
    sources: () => sources,
    workingDirectory: () => "/repo",
    deadlineMs,
    append: (type, data) => events.push([type, data as unknown as Record<string, unknown>]),
    onWarning: (message) => warnings.push(message),
  });
  return { asker, events, warnings };
}

const source = (name: string, invoke: HookSource["invoke"], wants = true): HookSource => ({
  name,
  wants: () => wants,
  invoke,
});
const notAnswered = () => expect.fail("nobody has answered");
const signal = () => new AbortController().signal;

describe("everybody who has hooks", () => {
  test("is asked in turn, with an input made anew", async () => {
    let prompt = "a";
    const { asker, events } = createAsker([
      source("one", async (_, input) => ({ modifiedPrompt: `${input.prompt}1` })),
      source("none", () => Promise.reject(new Error("not asked")), false),
      source("two", async (_, input) => ({ modifiedPrompt: `${input.prompt}2` })),
    ]);
    await asker.ask(
      "userPromptSubmitted",
      signal(),
      () => ({ prompt }),
      (output) => {
        prompt = output.text("modifiedPrompt") ?? prompt;
      },
    );
    expect(prompt).toBe("a12");
    expect(events.map(([type]) => type)).toEqual(["hook.start", "hook.end", "hook.start", "hook.end"]);
    expect(events[2]?.[1].input).toMatchObject({ sessionId: "s", cwd: "/repo", prompt: "a1" });
  });

  test("is left in peace once the signal aborts", async () => {
    const controller = new AbortController();
    const asked: string[] = [];
    const { asker, warnings } = createAsker([
      source("one", async () => {
        asked.push("one");
        controller.abort();
      }),
      source("two", async () => void asked.push("two")),
    ]);
    await asker.ask("agentStop", controller.signal, () => ({}), notAnswered);
    expect(asked).toEqual(["one"]);
    expect(warnings).toEqual([]);
  });
});

describe("a source", () => {
  test("that does not answer in time is told so by its signal", async () => {
    let told: unknown;
    const { asker, events, warnings } = createAsker(
      [
        source(
          "slow",
          (_type, _input, ends) =>
            new Promise((_, reject) => {
              ends.addEventListener("abort", () => {
                told = ends.reason;
                reject(ends.reason);
              });
            }),
        ),
      ],
      1,
    );
    await asker.ask("preToolUse", signal(), () => ({}), notAnswered);
    expect(told).toBeInstanceOf(Error);
    expect(events.at(-1)?.[1]).toMatchObject({
      success: false,
      error: { message: "no answer within 0.001 s", source: "slow" },
    });
    expect(warnings).toHaveLength(1);
  });

  test("leaves no listener on the run's signal", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(controller.signal, args);
    };
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(controller.signal, args);
    };
    const { asker } = createAsker([
      source("quick", async () => ({})),
      source("broken", () => Promise.reject("no")),
    ]);
    await asker.ask(
      "agentStop",
      controller.signal,
      () => ({}),
      () => undefined,
    );
    expect(listeners).toBe(0);
  });
});
