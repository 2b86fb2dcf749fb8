/** What was set, and what it cost: still so after a rewind, but for the changes of files. */
import type { PermissionPolicy } from "../../permissions/policy.ts";
import { withCut } from "../log/cuts.ts";
import { type ClientMetadataPatch, patchMetadata } from "./client-metadata.ts";
import { type Data, type Folds, kept, takenBack, text, toMode } from "./fold.ts";
import { emptyUsage, type SessionState, type UsageTotals } from "./session-state.ts";
import { foldSummaryFile } from "./stray-summaries.ts";

export const SESSION_FOLDS: Folds = {
  "session.start": kept((state, data, event) => {
    state.startTime = text(data.startTime) ?? event.timestamp ?? state.startTime;
    state.model = text(data.selectedModel) ?? state.model;
    state.reasoningEffort = text(data.reasoningEffort) ?? state.reasoningEffort;
    state.sessionLimits = toLimits(data.sessionLimits);
    setContext(state, data.context);
  }),
  "session.resume": kept((state, data) => {
    state.model = text(data.selectedModel) ?? state.model;
    state.reasoningEffort = text(data.reasoningEffort) ?? state.reasoningEffort;
    setContext(state, data.context);
  }),
  "session.context_changed": kept((state, data) => setContext(state, data)),
  "session.model_change": kept((state, data) => {
    state.model = text(data.newModel) ?? state.model;
    if (data.reasoningEffort !== undefined) state.reasoningEffort = text(data.reasoningEffort);
  }),
  "session.mode_changed": kept((state, data) => {
    const mode = toMode(data.newMode);
    if (!mode) return;
    state.mode = mode;
    if (state.running) state.running.agentMode = undefined;
  }),
  "session.permissions_changed": kept((state, data) => {
    if (data.mode === "manual" || data.mode === "allow-all")
      state.permissions = { ...state.permissions, mode: data.mode };
  }),
  "session.plan_changed": kept((state, data) => {
    state.hasPlan = data.operation !== "delete";
  }),
  "session.session_limits_changed": kept((state, data) => {
    state.sessionLimits = toLimits(data.sessionLimits);
  }),
  "rightseat.summary_file": kept((state, data) =>
    foldSummaryFile(state, data as { number: number; by: string }),
  ),
  "subagent.selected": kept((state, data) => {
    state.selectedAgent = text(data.agentName);
  }),
  "subagent.deselected": kept((state) => {
    state.selectedAgent = undefined;
  }),
  "tool.user_requested": kept((state, data) => {
    const toolCallId = text(data.toolCallId);
    if (toolCallId !== undefined) state.userToolCalls = [...(state.userToolCalls ?? []), toolCallId];
  }),
  "rightseat.usage": {
    apply: (state, data) => {
      countUsage(state, data);
      const usage = data.usage as UsageTotals;
      if (data.aside === true) return;
      state.lastInputTokens = usage.inputTokens;
      state.lastOutputTokens = usage.outputTokens;
      const tokens = usage.inputTokens + usage.outputTokens;
      // The answer itself is the next line. Some compatible servers report zeros.
      state.counted = tokens > 0 ? { tokens, messages: state.messages.length + 1 } : undefined;
    },
    rewound: countUsage,
  },
  "rightseat.permissions_set": kept((state, data) => {
    state.permissions = data.policy as PermissionPolicy;
  }),
  "rightseat.rewound": kept((state, data) => {
    const cut = { from: data.from, to: data.to };
    state.cuts = withCut(state.cuts, cut);
    if (data.undoesFiles === true) state.undoneFiles = withCut(state.undoneFiles, cut);
  }),
  "rightseat.file_tracking": kept((state) => {
    state.tracksFiles = true;
  }),
  "rightseat.file_changed": takenBack((state, data) => {
    const { linesAdded = 0, linesRemoved = 0, files = [] } = state.codeChanges ?? {};
    const isNew = files.length < MOST_FILES && !files.includes(data.path);
    state.codeChanges = {
      linesAdded: linesAdded + data.linesAdded,
      linesRemoved: linesRemoved + data.linesRemoved,
      files: isNew ? [...files, data.path] : files,
    };
  }),
  "rightseat.name_set": kept((state, data) => {
    state.name = text(data.name);
  }),
  "rightseat.title_set": kept((state, data) => {
    state.title = text(data.title) ?? state.title;
  }),
  "rightseat.reasoning_effort_set": kept((state, data) => {
    state.reasoningEffort = text(data.reasoningEffort);
  }),
  "rightseat.client_metadata": kept((state, data) => {
    state.clientMetadata = patchMetadata(state.clientMetadata ?? {}, data as ClientMetadataPatch);
  }),
};

/** What a model call used is paid for, whatever becomes of what it said. */
function countUsage(state: SessionState, data: Data): void {
  const usage = data.usage as UsageTotals;
  const totals = (state.usageByModel[data.model] ??= emptyUsage());
  totals.requests += 1;
  for (const key of USAGE_KEYS) totals[key] += usage[key] ?? 0;
  if (usage.nanoAiu) totals.nanoAiu = (totals.nanoAiu ?? 0) + usage.nanoAiu;
}

/** Paths of changed files that are told; a session that changes more is told by its lines. */
const MOST_FILES = 1_000;

const USAGE_KEYS = [
  "inputTokens",
  "outputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "reasoningTokens",
  "apiDurationMs",
] as const satisfies readonly (keyof UsageTotals)[];

function setContext(state: SessionState, context: unknown): void {
  const { cwd, gitRoot, repository, branch } = (context ?? {}) as Record<string, unknown>;
  if (typeof cwd !== "string") return;
  state.workingDirectory = cwd;
  state.context = { cwd, gitRoot: text(gitRoot), repository: text(repository), branch: text(branch) };
}

function toLimits(limits: unknown): SessionState["sessionLimits"] {
  const { maxAiCredits } = (limits ?? {}) as { maxAiCredits?: unknown };
  return typeof maxAiCredits === "number" ? { maxAiCredits } : undefined;
}
