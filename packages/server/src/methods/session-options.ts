/** Methods that change a session's settings while it is open, or tell its tools and models. */
import { RpcError } from "@rightseat/protocol";
import { mergeSettings, type SettingsParams } from "../session/session-settings.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";
import { toWireModel } from "./wire-model.ts";

interface ById {
  sessionId: string;
}

/** Options that change how the session's next turn goes. */
const SETTABLE: ReadonlySet<string> = new Set([
  "model",
  "reasoningEffort",
  "reasoningSummary",
  "provider",
  "capi",
  "workingDirectory",
  "availableTools",
  "excludedTools",
  "clientName",
  "skipCustomInstructions",
  "organizationCustomInstructions",
  "disabledInstructionSources",
  "enableHostGitOperations",
]);

/**
 * Options about things that this server does not do. Turning them off, or naming none, asks for what
 * is so already; anything else is refused by name.
 */
const ABSENT: ReadonlySet<string> = new Set([
  "customAgentsLocalOnly",
  "coauthorEnabled",
  "manageScheduleEnabled",
  "installedPlugins",
  "includedBuiltinSkills",
  "skipEmbeddingRetrieval",
  "enableOnDemandInstructionDiscovery",
  "enableFileHooks",
  "enableSessionStore",
  "enableSkills",
  "isExperimentalMode",
]);
/** Of those, the ones that ask for less by being true. */
const TRUE_ASKS_FOR_LESS: ReadonlySet<string> = new Set(["customAgentsLocalOnly", "skipEmbeddingRetrieval"]);

export function sessionOptionsMethods(services: Services): Methods {
  return {
    "session.options.update": async (params: ById & SettingsParams, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      for (const [name, value] of Object.entries(params)) refuseUnknown(name, value);
      const settings = mergeSettings(session.settings, params);
      // As with resume: who names no model need not bring the way to one.
      await services.join.checkSettings(
        params.model === undefined ? { ...settings, model: undefined } : settings,
      );
      if (params.model !== undefined && params.model !== session.settings.model) {
        session.append("session.model_change", {
          previousModel: session.settings.model,
          newModel: String(params.model),
        });
        await session.committed();
      }
      session.settings = settings;
      return { success: true };
    },
    "session.tools.getCurrentMetadata": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const { definitions } = services.runs.toolSet(session);
      return {
        tools: definitions.map(({ name, description, parameters }) => ({
          name,
          description,
          input_schema: parameters,
        })),
      };
    },
    "session.model.list": async (params: ById, scope: Scope) => {
      const { settings } = await sessionOf(services, scope, params);
      const models = await services.models.list(settings, scope.signal);
      return { list: models.map(toWireModel) };
    },
    "session.model.setReasoningEffort": async (params: ById & { reasoningEffort: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      session.settings = { ...session.settings, reasoningEffort: params.reasoningEffort };
      return { reasoningEffort: params.reasoningEffort };
    },
  };
}

function refuseUnknown(name: string, value: unknown): void {
  if (name === "toolFilterPrecedence" && value === "excluded") return;
  if (name === "sessionId" || SETTABLE.has(name) || value === undefined || value === null) return;
  if (ABSENT.has(name)) {
    // What is left out already can be left out, or not: there is nothing to put back.
    if (TRUE_ASKS_FOR_LESS.has(name) || value === false || (Array.isArray(value) && value.length === 0))
      return;
  }
  throw new RpcError(
    "not_supported",
    `session.options.update: the option '${name}' is not supported by this server`,
    { path: name },
  );
}
