/**
 * Figures to compare with, by question and figure. They were measured on 2026-11-22 on a 2-core
 * machine with the same SDK and an instant model, not in the same run as ours: they show the order of
 * magnitude. `--peer` measures side by side. The floor is a Node server that stores and checks
 * nothing and acknowledges at once: what is possible with this client.
 */
export const series = [
  { key: "cli81", label: "Copilot CLI 1.0.81", color: "#bf8700" },
  { key: "cli102", label: "Copilot CLI 1.0.102", color: "#cf222e" },
  { key: "floor", label: "floor", color: "#8c959f" },
];

export const references = [
  entry("startup", "start to first answer, p50", "start to first answer", {
    cli81: 877,
    cli102: 679,
    floor: 143,
  }),
  entry("startup", "memory, idle", "memory, idle", { cli81: 219, cli102: 244, floor: 60 }),
  entry("memory", "a used session, live", "memory a session, live", {
    cli81: 2_406,
    cli102: 3_686,
    floor: 31,
  }),
  entry("memory", "a used session, hibernated", "memory a session, hibernated", {}),
  entry("create", "createSession, p50", "createSession", { cli81: 124, cli102: 92, floor: 0.4 }),
  entry("turn", "turn, p50", "a turn", { cli81: 110, cli102: 96, floor: 1.5 }),
  entry("turn", "server CPU a turn", "server CPU a turn", { cli81: 91, cli102: 64, floor: 1 }),
  entry("tool", "a custom-tool round trip", "a custom-tool round trip", {
    cli81: 177,
    cli102: 181,
    floor: 1.5,
  }),
  entry("streaming", "deltas a second", "deltas a second", { cli81: 436, cli102: 1_782, floor: 29_000 }),
  entry("concurrent", "100 sessions: turns a second", "100 sessions at once, turns/s", {
    cli81: 35,
    floor: 2_160,
  }),
  entry("churn", "create, turn, disconnect, delete: p50", "create, turn, disconnect, delete", {
    cli81: 504,
    cli102: 380,
    floor: 3.6,
  }),
  entry("resume", "1000 turns: resume", "resume after 1,000 turns", { cli81: 1_046 }),
  entry("resume", "1000 turns: first turn", "first turn after it", { cli81: 2_672 }),
  entry("large-log", "resume and turn with a checkpoint", "resume 1 GB, and a turn", {}),
  entry("list", "1000 sessions: list, p50", "list 1,000 sessions", { cli81: 80 }),
  entry("list", "100000 sessions: list, p50", "list 100,000 sessions", {}),
];

function entry(question, name, label, values) {
  return { question, name, label, values };
}
