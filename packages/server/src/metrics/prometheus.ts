/** Metrics in the text format of Prometheus. Loaded only when there is a port to show them on. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AnnouncementListeners } from "../announcements/announcements.ts";
import { BoundedLabels } from "./bounded-labels.ts";
import type { Instruments } from "./instruments.ts";
import type { LoopDelay } from "./loop-delay.ts";

/** Lines that the log and the audit log could not be given, since the start. */
export interface LostLines {
  readonly log: number;
  readonly audit: number;
}

/** Figures that are counted anew each time somebody looks. */
export interface Snapshot {
  readonly connections: number;
  readonly running: number;
  readonly waiting: number;
  readonly queued: number;
  readonly awake: number;
  readonly asleep: number;
  readonly failedAttempts: number;
  readonly processes: number;
  readonly lostLines: LostLines;
  /** Beginnings of messages that were acknowledged at once. */
  readonly quickAcks: number;
}

export interface Metrics {
  readonly instruments: Instruments;
  /** Counts announcements. */
  readonly listeners: AnnouncementListeners;
  /** The page. */
  render(): Promise<string>;
  readonly contentType: string;
}

const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];
const STORE_SECONDS = [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5];

/** Tenants and models that are told apart; those beyond are "other". */
const MAX_TENANTS = 200;
const MAX_MODELS = 100;

const NEVER_MS = 2 ** 31 - 1;

export function createMetrics(snapshot: () => Snapshot, version: string, loopDelay: LoopDelay): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // The library looks at the event loop a hundred times a second: its own look is put off for ever, and ours is shown.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  showLoopDelay(registry, loopDelay);
  const tenants = new BoundedLabels(MAX_TENANTS);
  const models = new BoundedLabels(MAX_MODELS);

  new Gauge({ name: "rightseat_info", help: "The server's version", labelNames: ["version"], registers })
    .labels(version)
    .set(1);
  const gauge = (name: string, help: string, read: (now: Snapshot) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(snapshot()));
      },
    });
  gauge("rightseat_connections", "Clients connected", (now) => now.connections);
  gauge(
    "rightseat_authentication_failures",
    "Wrong or missing connection tokens since the start",
    (now) => now.failedAttempts,
  );
  gauge(
    "rightseat_child_processes",
    "Commands that sessions have running: shells, searches, hooks; each with all that it started is one",
    (now) => now.processes,
  );
  gauge(
    "rightseat_quick_acknowledgements",
    "Messages of clients whose first part was acknowledged at once since the start; 0 with clients means pauses of 40 ms",
    (now) => now.quickAcks,
  );
  new Gauge({
    name: "rightseat_sessions",
    help: "Open sessions by state: running, waiting for a client's answer, queued for a place to run, awake without a run, asleep",
    labelNames: ["state"],
    registers,
    collect() {
      const now = snapshot();
      this.set({ state: "running" }, now.running);
      this.set({ state: "waiting" }, now.waiting);
      this.set({ state: "queued" }, now.queued);
      this.set({ state: "awake" }, now.awake);
      this.set({ state: "asleep" }, now.asleep);
    },
  });

  new Gauge({
    name: "rightseat_lost_lines",
    help: "Lines that could not be written, since the start: of the log, of the audit log",
    labelNames: ["of"],
    registers,
    collect() {
      const { lostLines } = snapshot();
      this.set({ of: "log" }, lostLines.log);
      this.set({ of: "audit" }, lostLines.audit);
    },
  });

  const runs = new Counter({
    name: "rightseat_runs_total",
    help: "Prompts answered, by tenant and how it ended",
    labelNames: ["tenant", "outcome"],
    registers,
  });
  const runSeconds = new Histogram({
    name: "rightseat_run_duration_seconds",
    help: "From the beginning of a run to its end",
    labelNames: ["outcome"],
    buckets: SECONDS,
    registers,
  });
  const waitSeconds = new Histogram({
    name: "rightseat_queue_wait_seconds",
    help: "How long a run waited for a place, since as many as may be were running",
    buckets: SECONDS,
    registers,
  });
  const modelSeconds = new Histogram({
    name: "rightseat_model_call_duration_seconds",
    help: "One call of a model, from the request to the end of its answer",
    labelNames: ["model"],
    buckets: SECONDS,
    registers,
  });
  const tokens = new Counter({
    name: "rightseat_tokens_total",
    help: "Tokens by tenant, model and kind (input, output, cache_read), as providers report them",
    labelNames: ["tenant", "model", "kind"],
    registers,
  });
  const credits = new Counter({
    name: "rightseat_ai_credits_total",
    help: "AI credits that GitHub's API charged, by tenant and model; other providers report no cost",
    labelNames: ["tenant", "model"],
    registers,
  });
  const errors = new Counter({
    name: "rightseat_request_errors_total",
    help: "Requests answered with an error, by reason",
    labelNames: ["reason"],
    registers,
  });
  const storeSeconds = new Histogram({
    name: "rightseat_store_commit_duration_seconds",
    help: "One commit of events to the store",
    labelNames: ["ok"],
    buckets: STORE_SECONDS,
    registers,
  });

  const listeners: AnnouncementListeners = {
    "run-ended": ({ key: { tenant }, outcome, durationMs }) => {
      // A hook stopped its prompt before the model was asked: it counts as no run.
      if (outcome === "blocked") return;
      runs.inc({ tenant: tenants.of(tenant), outcome });
      runSeconds.observe({ outcome }, durationMs / 1000);
    },
  };
  const instruments: Instruments = {
    modelCalled: (call) => {
      const tenant = tenants.of(call.tenant);
      const model = models.of(call.model);
      modelSeconds.observe({ model }, call.durationMs / 1000);
      tokens.inc({ tenant, model, kind: "input" }, call.inputTokens);
      tokens.inc({ tenant, model, kind: "output" }, call.outputTokens);
      tokens.inc({ tenant, model, kind: "cache_read" }, call.cacheReadTokens);
      if (call.nanoAiu > 0) credits.inc({ tenant, model }, call.nanoAiu / 1e9);
    },
    waited: (ms) => waitSeconds.observe(ms / 1000),
    requestFailed: (reason) => errors.inc({ reason }),
    stored: ({ durationMs, ok }) => storeSeconds.observe({ ok: String(ok) }, durationMs / 1000),
  };
  return { instruments, listeners, render: () => registry.metrics(), contentType: registry.contentType };
}

/** Under the names that the library has for it. */
function showLoopDelay(registry: Registry, loopDelay: LoopDelay): void {
  const registers = [registry];
  const name = "nodejs_eventloop_lag_seconds";
  registry.removeSingleMetric(name);
  const gaugeOf = (what: string) => {
    const own = `nodejs_eventloop_lag_${what}_seconds`;
    registry.removeSingleMetric(own);
    return new Gauge({
      name: own,
      help: `Delays of the event loop since the last look here: ${what}`,
      registers,
    });
  };
  const min = gaugeOf("min");
  const max = gaugeOf("max");
  const mean = gaugeOf("mean");
  const stddev = gaugeOf("stddev");
  const p50 = gaugeOf("p50");
  const p90 = gaugeOf("p90");
  const p99 = gaugeOf("p99");
  new Gauge({
    name,
    help: "Delay of the event loop when it was looked at last",
    registers,
    collect() {
      const delays = loopDelay.takeDelays();
      this.set(delays.last / 1000);
      min.set(delays.min / 1000);
      max.set(delays.max / 1000);
      mean.set(delays.mean / 1000);
      stddev.set(delays.stddev / 1000);
      p50.set(delays.percentile(50) / 1000);
      p90.set(delays.percentile(90) / 1000);
      p99.set(delays.percentile(99) / 1000);
    },
  });
}
