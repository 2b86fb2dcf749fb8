/**
 * What every program does, and prints as it is done, one line a step. Phase 1 ends with its process; the
 * server is started anew; phase 2 goes on with the same session.
 */
export const PHASES: readonly (readonly string[])[] = [
  [
    "status: protocol 3",
    "create: the session has the id that was asked for",
    "send: forty-two",
    "stream: 20 deltas make up the message",
    "tool: done after 1 call",
    "permission: refused, the tool did not run",
    "list: 1 session",
  ],
  ["resume: and this", "disconnect: ok", "delete: 0 sessions"],
];

/** The phases of programs that also have a hook refuse a prompt, at the end of the first phase. */
export const PHASES_AND_BLOCKED: typeof PHASES = PHASES.map((lines, phase) =>
  phase === 0 ? [...lines, "blocked: policy_blocked"] : lines,
);
