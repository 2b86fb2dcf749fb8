/** The steps that sequences are made of, and how often each comes. */
import type { Way } from "@rightseat/testing";
import fc from "fast-check";
import * as calls from "./calls.ts";
import { createPrompt, type PromptKind, type ToolManner } from "./ledger.ts";
import * as network from "./network.ts";
import type { Held, Manner, Participant } from "./participant.ts";
import { type Scene, within } from "./scene.ts";

export type Step = fc.AsyncCommand<Scene, Scene>;

/** Steps that ran, whatever came of them. */
export const counted = { steps: 0 };

interface Plan<P> {
  readonly name: string;
  readonly of: fc.Arbitrary<P>;
  /** Whether there is anything to do it with. */
  readonly check?: (scene: Scene, plan: P) => boolean;
  /** Resolves when the next step may follow. */
  readonly run: (scene: Scene, plan: P) => Promise<void> | void;
}

function stepsOf<P>({ name, of, check, run }: Plan<P>): fc.Arbitrary<Step> {
  return of.map((plan) => ({
    check: (scene) => check?.(scene as Scene, plan) ?? true,
    run: async (_, scene) => {
      counted.steps += 1;
      await run(scene, plan);
      scene.throwFailures();
    },
    toString: () => `${name}(${JSON.stringify(plan)})`,
  }));
}

const who = fc.nat({ max: 1 });
const which = fc.nat({ max: 5 });
const limit = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "none" as const, ms: 0 }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("timeout" as const, "signal" as const),
      ms: fc.nat({ max: 30 }),
    }),
  },
);
const manner = fc.constantFrom<Manner>("plain", "plain", "plain", "throws", "odd");
const toolManner = fc.constantFrom<ToolManner>(
  "answer",
  "throw",
  "reject",
  "bigint",
  "circular",
  "undefined",
  "late",
);
/** Whether the next step waits for it. */
const waits = fc.boolean();

const participantOf = (scene: Scene, index: number) => scene.participants[index] as Participant;
const heldOf = ({ open }: Scene, index: number) => open[index % open.length] as Held;
const isAnyOpen = ({ open }: Scene) => open.length > 0;
const idOf = (scene: Scene, index: number) => `${scene.name}-${"ab"[index]}`;
const inTurn = async (scene: Scene, isAwaited: boolean, call: Promise<void>) => {
  if (isAwaited && !(await within(scene.stage.settleMs, call))) scene.fail("the call does not settle");
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const NO_LIMIT = { kind: "none", ms: 0 } as const;

const joining = fc.record({ who, id: who, limit, manner, waits });
const prompting = fc.record({
  which,
  kind: fc.constantFrom<PromptKind>("echo", "echo", "words", "tool", "tool", "fail", "slow"),
  toolManner,
  limit,
  waits,
  /** Another one's prompt, sent once more under its id. */
  again: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: which }),
});

type Prompting = typeof prompting extends fc.Arbitrary<infer P> ? P : never;

function prompted(scene: Scene, held: Held, { kind, toolManner, again }: Prompting) {
  const { prompts } = scene.facts(held.sessionId);
  if (again !== undefined && prompts.length > 0)
    return prompts[again % prompts.length] as (typeof prompts)[0];
  return createPrompt(scene.nextToken(), kind, toolManner);
}

const PLANS: [weight: number, step: fc.Arbitrary<Step>][] = [
  [
    5,
    stepsOf({
      name: "create",
      of: joining,
      run: (scene, { who, id, waits, ...ask }) =>
        inTurn(
          scene,
          waits,
          calls.createSession(scene, participantOf(scene, who), { id: idOf(scene, id), ...ask }),
        ),
    }),
  ],
  [
    5,
    stepsOf({
      name: "resume",
      of: joining,
      check: (scene, { id }) => scene.sessions.has(idOf(scene, id)),
      run: (scene, { who, id, waits, ...ask }) =>
        inTurn(
          scene,
          waits,
          calls.resumeSession(scene, participantOf(scene, who), { id: idOf(scene, id), ...ask }),
        ),
    }),
  ],
  [
    8,
    stepsOf({
      name: "send",
      of: prompting,
      check: isAnyOpen,
      run: (scene, plan) => {
        const held = heldOf(scene, plan.which);
        return inTurn(scene, plan.waits, calls.send(scene, held, prompted(scene, held, plan), plan.limit));
      },
    }),
  ],
  [
    12,
    stepsOf({
      name: "wait",
      of: prompting,
      check: isAnyOpen,
      run: (scene, plan) => {
        const held = heldOf(scene, plan.which);
        return inTurn(
          scene,
          plan.waits,
          calls.sendAndWait(scene, held, prompted(scene, held, plan), plan.limit),
        );
      },
    }),
  ],
  [
    2,
    stepsOf({
      name: "abort",
      of: fc.record({ which, limit, waits }),
      check: isAnyOpen,
      run: (scene, { which, limit, waits }) =>
        inTurn(scene, waits, calls.abort(scene, heldOf(scene, which), limit)),
    }),
  ],
  [
    2,
    stepsOf({
      name: "getEvents",
      of: fc.record({ which, limit, waits }),
      check: isAnyOpen,
      run: (scene, { which, limit, waits }) =>
        inTurn(scene, waits, calls.getEvents(scene, heldOf(scene, which), limit)),
    }),
  ],
  [
    3,
    stepsOf({
      name: "read",
      of: fc.record({
        which,
        from: fc.constantFrom("start" as const, "now" as const),
        bufferSize: fc.constantFrom(1, 3, 1024),
        pauseMs: fc.constantFrom(0, 1, 4),
      }),
      check: isAnyOpen,
      run: (scene, { which, ...how }) => calls.readEvents(scene, heldOf(scene, which), how),
    }),
  ],
  [
    3,
    stepsOf({
      name: "disconnect",
      of: fc.record({ which, limit, waits }),
      check: isAnyOpen,
      run: (scene, { which, limit, waits }) =>
        inTurn(scene, waits, calls.disconnect(scene, heldOf(scene, which), limit)),
    }),
  ],
  [
    1,
    stepsOf({
      name: "delete",
      of: fc.record({ who, id: who, limit, waits }),
      check: (scene, { id }) => scene.sessions.has(idOf(scene, id)),
      run: (scene, { who, id, limit, waits }) =>
        inTurn(scene, waits, calls.deleteSession(scene, participantOf(scene, who), idOf(scene, id), limit)),
    }),
  ],
  [
    1,
    stepsOf({
      name: "stop",
      of: fc.record({ who, how: fc.constantFrom("stop" as const, "forceStop" as const), waits }),
      run: (scene, { who, how, waits }) =>
        inTurn(scene, waits, calls.stop(scene, participantOf(scene, who), how)),
    }),
  ],
  [
    1,
    stepsOf({
      name: "start",
      of: fc.record({ who, limit, waits }),
      run: (scene, { who, limit, waits }) =>
        inTurn(scene, waits, calls.start(scene, participantOf(scene, who), limit)),
    }),
  ],
  [3, stepsOf({ name: "cut", of: who, run: (scene, who) => network.cut(scene, participantOf(scene, who)) })],
  [
    2,
    stepsOf({
      name: "stall",
      of: fc.record({ who, ms: fc.nat({ max: 30 }) }),
      run: (scene, { who, ms }) => network.stall(scene, participantOf(scene, who), ms),
    }),
  ],
  [
    3,
    stepsOf({
      name: "swallow",
      of: fc.record({
        who,
        way: fc.constantFrom<Way>("up", "down", "both"),
        ms: fc.nat({ max: 20 }),
      }),
      run: (scene, { who, way, ms }) => network.swallow(scene, participantOf(scene, who), way, ms),
    }),
  ],
  [
    3,
    stepsOf({
      name: "pause",
      of: fc.nat({ max: 8 }),
      run: (_, ms) => pause(ms),
    }),
  ],
  [
    2,
    stepsOf({
      name: "leave while it comes back",
      of: fc.record({ which, ms: fc.nat({ max: 4 }), waits }),
      check: isAnyOpen,
      run: async (scene, { which, ms, waits }) => {
        const held = heldOf(scene, which);
        network.cut(scene, held.owner);
        await pause(ms);
        await inTurn(scene, waits, calls.disconnect(scene, held, NO_LIMIT));
      },
    }),
  ],
  [
    1,
    stepsOf({
      name: "delete while another waits",
      of: fc.record({
        which,
        kind: fc.constantFrom<PromptKind>("slow", "tool"),
        toolManner,
        ms: fc.nat({ max: 30 }),
      }),
      check: isAnyOpen,
      run: async (scene, { which, kind, toolManner, ms }) => {
        const held = heldOf(scene, which);
        const other = scene.participants.find((participant) => participant !== held.owner) as Participant;
        const prompt = createPrompt(scene.nextToken(), kind, toolManner);
        void calls.sendAndWait(scene, held, prompt, NO_LIMIT);
        await pause(ms);
        await inTurn(scene, true, calls.deleteSession(scene, other, held.sessionId, NO_LIMIT));
      },
    }),
  ],
  [
    1,
    stepsOf({
      name: "stop while it connects",
      of: fc.record({
        who,
        how: fc.constantFrom("stop" as const, "forceStop" as const),
        ms: fc.nat({ max: 4 }),
      }),
      run: async (scene, { who, how, ms }) => {
        const participant = participantOf(scene, who);
        await inTurn(scene, true, calls.stop(scene, participant, "forceStop"));
        void calls.start(scene, participant, NO_LIMIT);
        await pause(ms);
        await inTurn(scene, true, calls.stop(scene, participant, how));
      },
    }),
  ],
  [1, stepsOf({ name: "settle", of: fc.constant({}), run: (scene) => scene.settled() })],
];

/** Sequences of up to so many steps. */
export function sequences(maxCommands: number): fc.Arbitrary<Iterable<Step>> {
  const all = PLANS.flatMap(([weight, step]) => Array<fc.Arbitrary<Step>>(weight).fill(step));
  return fc.commands(all, { maxCommands, size: "max" });
}
