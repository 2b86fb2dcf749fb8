/**
 * The program of the model-based test: a process of its own, so that it can be seen to leave.
 *
 * program '{"port": …, "steps": …, "seeds": […], "path": …, "shrinks": …}' prints one line of JSON: what was done,
 * and what does not hold.
 */
import { startFaultProxy, startScriptedModelServer } from "@rightseat/testing";
import fc from "fast-check";
import { CopilotClient, RuntimeConnection } from "../../src/index.ts";
import { watchEventLoop } from "./event-loop.ts";
import { finish } from "./finish.ts";
import { Ledger } from "./ledger.ts";
import { observe } from "./observer.ts";
import { createParticipant } from "./participant.ts";
import { Scene, type Stage } from "./scene.ts";
import { counted, type Step, sequences } from "./steps.ts";

/** What the program is started with. */
export interface Order {
  readonly port: number;
  /** At least so many steps are taken. */
  readonly steps: number;
  /** Each is a line of sequences of its own; the lines run side by side. */
  readonly seeds: readonly number[];
  /** One sequence of the only seed, as a failure named it. */
  readonly path?: string;
  /** Looks for the shortest sequence that fails; it takes long. */
  readonly shrinks?: boolean;
  /** Milliseconds after which what has not come about counts as never. */
  readonly settleMs?: number;
}

/** What the program prints. */
export interface Report {
  readonly steps: number;
  readonly sequences: number;
  readonly faults: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly seed?: number;
  readonly path?: string;
  readonly message: string;
}

const MAX_STEPS = 40;
const SEQUENCES_A_ROUND = 10;
const SETTLE_MS = 60_000;

const order = JSON.parse(process.argv[2] as string) as Order;
const failures: Failure[] = [];
const done = { sequences: 0, faults: 0 };
for (const event of ["unhandledRejection", "uncaughtException"] as const)
  process.on(event, (error: unknown) =>
    failures.push({ message: `${event}: ${error instanceof Error ? error.stack : String(error)}` }),
  );
const startedMs = performance.now();
const loop = watchEventLoop();
const ledger = new Ledger();
const model = await startScriptedModelServer({ script: ledger.script });
const connection = RuntimeConnection.forUri(`127.0.0.1:${order.port}`);
const directly = new CopilotClient({ connection, onWarning: () => undefined });
await directly.start();
const observer = await observe(order.port);
let names = 0;
const stage: Stage = {
  serverPort: order.port,
  modelUrl: model.url,
  ledger,
  directly,
  isHeld: observer.isHeld,
  settleMs: order.settleMs ?? SETTLE_MS,
  nextName: () => `s${++names}-${process.pid}`,
};

async function play(steps: Iterable<Step>): Promise<void> {
  const scene = new Scene(stage);
  try {
    for (const name of ["A", "B"]) {
      const proxy = await startFaultProxy({ port: stage.serverPort, random: Math.random });
      scene.participants.push(createParticipant(name, proxy));
    }
    await fc.asyncModelRun(() => ({ model: scene, real: scene }), steps);
    await finish(scene);
  } finally {
    done.sequences += 1;
    done.faults += scene.faults;
    await Promise.all(
      scene.participants.map(async ({ client, proxy }) => {
        await client.forceStop();
        await proxy.close();
      }),
    );
    model.forget();
  }
}

/** Sequences of one seed until enough steps were taken, or one of them failed. */
async function playAll(first: number): Promise<void> {
  for (let seed = first; failures.length === 0; seed += order.seeds.length) {
    const details = await fc.check(fc.asyncProperty(sequences(MAX_STEPS), play), {
      seed,
      path: order.path,
      numRuns: SEQUENCES_A_ROUND,
      endOnFailure: order.shrinks !== true,
      interruptAfterTimeLimit: undefined,
    });
    if (!details.failed) {
      if (counted.steps >= order.steps || order.path !== undefined) return;
      continue;
    }
    const { counterexamplePath, errorInstance, counterexample } = details;
    failures.push({
      seed,
      path: counterexamplePath ?? undefined,
      message: `${(errorInstance as Error)?.message}\n  steps: ${counterexample?.[0]}`,
    });
  }
}

await Promise.all(order.seeds.map(playAll));
await directly.stop();
observer.close();
await model.close();
await loop.stop();
const report: Report = {
  steps: counted.steps,
  ...done,
  seconds: Math.round((performance.now() - startedMs) / 1000),
  failures,
};
console.log(JSON.stringify(report));
