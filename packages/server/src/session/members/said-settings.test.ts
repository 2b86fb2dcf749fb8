import { expect, test } from "vitest";
import { patched, patchOf, type Said, type SettingsPatch, settingsOf, withSaid } from "./said-settings.ts";

const CLIENTS = ["a", "b", undefined];

/** Numbers from 0 up to a bound, the same for one seed. */
function numbersFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function randomPatch(number: (bound: number) => number): SettingsPatch {
  const choices: (() => SettingsPatch)[] = [
    () => ({ model: `m${number(3)}`, modelCapabilities: null }),
    () => ({ provider: { type: "openai", baseUrl: `http://p${number(3)}` } as never }),
    () => ({ customAgents: [{ name: `agent-${number(3)}` }] }),
    () => ({ availableTools: [`tool-${number(3)}`], excludedTools: null }),
    () => ({ gitHubToken: `t${number(3)}`, gitHubIdentity: null, withoutServerToken: null }),
    () => ({ reasoningEffort: number(2) === 0 ? null : "high" }),
    () => ({}),
  ];
  return Object.assign(
    {},
    ...Array.from({ length: 1 + number(3) }, () => choices[number(choices.length)]?.()),
  );
}

test.each(Array.from({ length: 200 }, (_, seed) => seed))(
  "what was said makes the same settings when it is said again elsewhere (seed %i)",
  (seed) => {
    const number = numbersFrom(seed + 1);
    const given = { model: "logged", workingDirectory: "/work" };
    let said: readonly Said[] = [];
    let whole = settingsOf(given, []);
    for (let step = 0; step < 50; step += 1) {
      const patch = randomPatch(number);
      whole = patched(whole, patch);
      said = withSaid(said, patch, CLIENTS[number(CLIENTS.length)]);
    }
    expect(settingsOf(given, said)).toEqual(whole);
    const sent = JSON.parse(JSON.stringify(said)) as readonly Said[];
    expect(settingsOf(given, sent)).toEqual(whole);
    expect(sent.map(({ order }) => order)).toEqual(sent.map(({ order }) => order).sort((a, b) => a - b));
  },
);

test("clients that come back for ever leave no more behind than there are settings", () => {
  let said: readonly Said[] = [];
  for (let index = 0; index < 1_000; index += 1)
    said = withSaid(said, { model: "m", clientName: `c${index}` }, String(index));
  expect(said).toHaveLength(1);
});

test("what the log knows holds until somebody says something else, also that it is not set", () => {
  const given = { model: "logged", reasoningEffort: "low" };
  const say = (patch: SettingsPatch) => settingsOf(given, withSaid([], patch, undefined));
  expect(say({})).toEqual(given);
  expect(say({ model: "said" })).toEqual({ model: "said", reasoningEffort: "low" });
  expect(say({ model: null })).toEqual({ reasoningEffort: "low" });
});

test("a parameter that is left out or null says nothing, and another model forgets what was known of the last", () => {
  expect(patchOf({}, { provider: null, streaming: true })).toEqual({});
  expect(patchOf({ model: "a" }, { model: "a" })).toEqual({ model: "a" });
  expect(patchOf({ model: "a" }, { model: "b" })).toEqual({ model: "b", modelCapabilities: null });
  expect(patchOf({}, { includedBuiltinAgents: null })).toEqual({ includedBuiltinAgents: null });
  expect(patchOf({ autopilot: { maxContinues: 2 } }, { autopilot: { continuationEnabled: false } })).toEqual({
    autopilot: { maxContinues: 2, continuationEnabled: false },
  });
});
