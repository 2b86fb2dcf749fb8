/**
 * What each method needs of its tenant's limits, asked before the method is carried out. All methods are here: one
 * that is new is asked for everything until somebody decides what it needs.
 */
import type { Governor } from "../limits/governor.ts";
import type { MethodName, ParamsOf } from "../rpc/method-types.ts";
import { heapBytesOf } from "../session/state/heap-bytes.ts";
import type { CheckedMethods, Scope } from "./method.ts";
import { OLDER_NAMES } from "./older-names.ts";

/**
 * - `prompt`: a run is begun or waits: prompts and tokens of a minute and day, runs at once, stored bytes
 * - `model-call`: a model is called beside runs: the same, without the runs at once
 * - `store`: what comes with the call is stored: stored bytes
 * - `make`: a session is made: stored bytes, of which there must be some left
 * - `hold`: what comes with the call is kept in memory; asked for with every other need, too
 * - `session`: one is opened; asked where that happens (`sessions/session-registry.ts`)
 * - `process`: a command is started; asked where that happens (`Governor.takeProcess`)
 */
export type Need = "hold" | "prompt" | "model-call" | "store" | "make" | "session" | "process";

type Needs<Params = object> = readonly Need[] | ((params: Params) => readonly Need[]);

const NOTHING: readonly Need[] = [];
const PROMPT: readonly Need[] = ["prompt"];
const MODEL_CALL: readonly Need[] = ["model-call"];
const STORE: readonly Need[] = ["store"];

/** It stops, takes away or answers, which must always be possible; looks; or changes what is kept in memory alone. */
const WITHOUT: readonly MethodName[] = [
  "ping",
  "status.get",
  "auth.getStatus",
  "models.list",
  "account.getQuota",
  "tools.list",
  "runtime.shutdown",
  "llmInference.setProvider",
  "llmInference.httpResponseStart",
  "llmInference.httpResponseChunk",
  "commands.list",
  "agents.discover",
  "agents.getDiscoveryPaths",
  "instructions.discover",
  "instructions.getDiscoveryPaths",
  "session.list",
  "session.getMetadata",
  "session.getLastId",
  "session.getForeground",
  "session.setForeground",
  "session.detach",
  "session.destroy",
  "session.delete",
  "session.shutdown",
  "session.suspend",
  "session.abort",
  "session.interruptMainTurn",
  "session.cancelAllBackgroundAgents",
  "session.getMessages",
  "session.eventLog.read",
  "session.eventLog.tail",
  "session.eventLog.releaseInterest",
  "session.usage.getMetrics",
  "session.model.getCurrent",
  "session.model.list",
  "session.mode.get",
  "session.name.get",
  "session.agent.list",
  "session.agent.getCurrent",
  "session.agent.reload",
  "session.commands.list",
  "session.commands.respondToQueuedCommand",
  "session.commands.handlePendingCommand",
  "session.completions.getTriggerCharacters",
  "session.completions.request",
  "session.gitHubAuth.getAllAuthAvailable",
  "session.gitHubAuth.getCurrentAuthInfo",
  "session.gitHubAuth.getStatus",
  "session.gitHubAuth.lastAuthErrors",
  "session.gitHubAuth.refreshCopilotUser",
  "session.history.abortManualCompaction",
  "session.history.cancelBackgroundCompaction",
  "session.history.listRewindPoints",
  "session.history.previewRewind",
  "session.instructions.getSources",
  "session.lsp.initialize",
  "session.metadata.activity",
  "session.metadata.contextInfo",
  "session.metadata.getClientMetadata",
  "session.metadata.getContextAttribution",
  "session.metadata.getContextHeaviestMessages",
  "session.metadata.isProcessing",
  "session.metadata.recomputeContextTokens",
  "session.metadata.snapshot",
  "session.permissions.folderTrust.isTrusted",
  "session.permissions.getMode",
  "session.permissions.handlePendingPermissionRequest",
  "session.permissions.locations.resolve",
  "session.permissions.notifyPromptShown",
  "session.permissions.paths.isPathWithinAllowedDirectories",
  "session.permissions.paths.isPathWithinWorkspace",
  "session.permissions.paths.list",
  "session.permissions.pendingRequests",
  "session.plan.delete",
  "session.plan.read",
  "session.plan.readSqlTodos",
  "session.plan.readSqlTodosWithDependencies",
  "session.plugins.list",
  "session.plugins.reload",
  "session.provider.getEndpoint",
  "session.queue.clear",
  "session.queue.hasPending",
  "session.queue.pendingItems",
  "session.queue.removeAt",
  "session.queue.removeMostRecent",
  "session.queue.setDrainPaused",
  "session.shell.cancelUserRequested",
  "session.shell.kill",
  "session.tasks.cancel",
  "session.tasks.getCurrentPromotable",
  "session.tasks.getProgress",
  "session.tasks.list",
  "session.tasks.promoteCurrentToBackground",
  "session.tasks.promoteToBackground",
  "session.tasks.refresh",
  "session.tasks.remove",
  "session.tasks.waitForPending",
  "session.telemetry.getEngagementId",
  "session.telemetry.setFeatureOverrides",
  "session.tools.getCurrentMetadata",
  "session.tools.handlePendingToolCall",
  "session.tools.initializeAndValidate",
  "session.ui.handlePendingAutoModeSwitch",
  "session.ui.handlePendingElicitation",
  "session.ui.handlePendingExitPlanMode",
  "session.ui.handlePendingSampling",
  "session.ui.handlePendingSessionLimitsExhausted",
  "session.ui.handlePendingUserInput",
  "session.ui.unregisterDirectAutoModeSwitchHandler",
  "session.visibility.get",
  "session.workspaces.diff",
  "session.workspaces.getWorkspace",
  "session.workspaces.listCheckpoints",
  "session.workspaces.listFiles",
  "session.workspaces.readCheckpoint",
  "session.workspaces.readFile",
  "session.workspaces.removePath",
  "session.workspaces.statFile",
  "session.customizations.reload",
  "session.tasks.readOutput",
  "session.instructions.reload",
  "session.managedSettings.get",
  "session.provider.withdraw",
  "session.queue.withdrawMessage",
  "session.quota.get",
  "session.quota.refresh",
  "session.skills.list",
  "session.skills.reload",
  "session.tools.getSubagentSettings",
  "session.tools.listPendingRequests",
];

/** Each is an event of the log, a record of it, or a file. */
const STORING: readonly MethodName[] = [
  "session.log",
  "session.agent.select",
  "session.agent.deselect",
  "session.agent.setPrompt",
  "session.history.rewind",
  "session.history.truncate",
  "session.metadata.recordContextChange",
  "session.metadata.setWorkingDirectory",
  "session.metadata.updateClientMetadata",
  "session.mode.set",
  "session.model.setReasoningEffort",
  "session.model.switchTo",
  "session.name.set",
  "session.name.setAuto",
  "session.options.update",
  "session.permissions.configure",
  "session.permissions.folderTrust.addTrusted",
  "session.permissions.locations.addToolApproval",
  "session.permissions.locations.apply",
  "session.permissions.modifyRules",
  "session.permissions.paths.add",
  "session.permissions.paths.updatePrimary",
  "session.permissions.resetSessionApprovals",
  "session.permissions.setApproveAll",
  "session.permissions.setMode",
  "session.permissions.setRequired",
  "session.permissions.urls.setUnrestrictedMode",
  "session.plan.update",
  "session.provider.add",
  "session.provider.sync",
  "session.queue.appendSteering",
  "session.queue.moveItem",
  "session.queue.sendNow",
  "session.queue.updateText",
  "session.tools.set",
  "session.visibility.set",
  "session.workspaces.addSummary",
  "session.workspaces.createDirectory",
  "session.workspaces.createFile",
  "session.workspaces.renamePath",
  "session.workspaces.saveLargePaste",
];

const OTHERS: { readonly [M in MethodName]?: Needs<ParamsOf<M>> } = {
  "session.gitHubAuth.setCredentials": ["hold"],
  "session.eventLog.registerInterest": ["hold"],
  "session.tools.updateSubagentSettings": ["hold"],
  "session.ui.elicitation": ["hold"],
  "session.ui.registerDirectAutoModeSwitchHandler": ["hold"],
  "session.create": ["make", "session"],
  // A tenant that has used its place up may still read what it has.
  "session.resume": ["session"],
  "sessions.fork": ["make"],
  "session.send": PROMPT,
  "session.sendAndWait": PROMPT,
  "session.sendMessages": PROMPT,
  "session.queue.insertAt": PROMPT,
  "session.queue.duplicateAt": PROMPT,
  "session.fleet.start": PROMPT,
  "session.history.clearContext": MODEL_CALL,
  // A command may stand for a prompt, or compact.
  "session.commands.enqueue": PROMPT,
  "session.commands.execute": STORE,
  "session.commands.invoke": ({ name }) => (isCompact(name) ? MODEL_CALL : STORE),
  "session.tasks.startAgent": MODEL_CALL,
  "session.tasks.sendMessage": MODEL_CALL,
  "session.ui.ephemeralQuery": MODEL_CALL,
  "session.history.compact": MODEL_CALL,
  "session.history.summarizeForHandoff": MODEL_CALL,
  "session.shell.exec": ["process", "store"],
  "session.shell.executeUserRequested": ["process", "store"],
};

const BY_NAME: ReadonlyMap<string, Needs> = new Map<string, Needs>([
  ...WITHOUT.map((method) => [method, NOTHING] as const),
  ...STORING.map((method) => [method, STORE] as const),
  // The schema of each has checked its parameters by then.
  ...(Object.entries(OTHERS) as [string, Needs][]),
]);

export const ADMISSION: ReadonlyMap<string, Needs> = new Map<string, Needs>([
  ...BY_NAME,
  ...Object.entries(OLDER_NAMES).map(([old, name]) => [old, BY_NAME.get(name) ?? ["prompt"]] as const),
]);

/** A prompt that was taken before is not asked for again: its own method admits it, once it has looked. */
const ADMITS_ITSELF: ReadonlySet<string> = new Set(["session.send", "session.sendAndWait"]);

const SMALL_BYTES = 64 * 1024;
const REQUEST_BYTES = 2_048;

const EVERYTHING: readonly Need[] = ["prompt"];

export function withAdmission(
  services: { readonly governor: Governor },
  methods: CheckedMethods,
): CheckedMethods {
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => {
      const needs = ADMISSION.get(name) ?? EVERYTHING;
      if (needs === NOTHING) return [name, method];
      const held = (params: object, scope: Scope) => {
        services.governor.admitHolding(scope.principal.tenant, sizeOf(params, scope));
        return method(params, scope);
      };
      if (ADMITS_ITSELF.has(name) || (typeof needs !== "function" && !needs.some(isAsked)))
        return [name, held];
      const admitted = async (params: object, scope: Scope) => {
        services.governor.admitHolding(scope.principal.tenant, sizeOf(params, scope));
        for (const need of typeof needs === "function" ? needs(params) : needs)
          await admit(services.governor, need, params, scope);
        return method(params, scope);
      };
      return [name, admitted];
    }),
  );
}

/** Small requests are what they were on the wire, and what each takes besides. */
function sizeOf(params: unknown, { bytes }: Scope): number {
  return bytes < SMALL_BYTES ? REQUEST_BYTES + bytes : heapBytesOf(params);
}

function isAsked(need: Need): boolean {
  return need !== "hold" && need !== "session" && need !== "process";
}

/** @throws RpcError `limit_exceeded`. */
function admit(governor: Governor, need: Need, params: unknown, scope: Scope): Promise<void> | undefined {
  const { tenant } = scope.principal;
  const { bytes } = scope;
  switch (need) {
    case "prompt":
      return governor.admitPrompt(tenant, { prompts: promptsIn(params), bytes });
    case "model-call":
      return governor.admitPrompt(tenant, { bytes, besideRuns: true });
    case "store":
      return governor.admitStoring(tenant, bytes);
    case "make":
      return governor.admitStoring(tenant);
    default:
      return undefined;
  }
}

/** `session.sendMessages` brings several, of which all are taken or none. */
function promptsIn(params: unknown): number {
  const { messages } = params as { messages?: unknown };
  return Array.isArray(messages) ? messages.length : 1;
}

function isCompact(name: string): boolean {
  return /^\/?compact$/i.test(name.trim());
}
