/** Where the models of a session come from, and the GitHub accounts that pay for them. */
import { RpcError } from "@rightseat/protocol";
import { AccountError, createGitHubAccounts, hostOf } from "../accounts/github-accounts.ts";
import type { Config } from "../config/load-config.ts";
import { lookUpModel } from "../models/catalog.ts";
import { createProvider, providerLoads } from "../models/create-provider.ts";
import { createGuardedFetch } from "../models/guarded-fetch.ts";
import { KeyCommands } from "../models/key-commands.ts";
import { ModelDirectory, type ModelQuery } from "../models/model-directory.ts";
import { ModelError } from "../models/model-provider.ts";
import { isNamed, toHosts } from "../network/address-guard.ts";
import { refreshedGitHubToken } from "../session/abilities/github/github-token.ts";
import { ClientInferences } from "../session/members/client-inferences.ts";
import type { Waiter } from "../session/members/client-waits.ts";
import type { SessionSettings } from "../session/members/session-settings.ts";
import { type AgentCaller, modelQueryOf } from "../session/open/model-query.ts";
import type { Session } from "../session/open/session.ts";
import type { Network } from "./network.ts";

type GitHubAccounts = ReturnType<typeof createGitHubAccounts>;

const INTEGRATION_ID = "rightseat";
/** How long making a session waits for GitHub to say whose token it was given. */
const TOKEN_CHECK_MS = 3000;

export interface Models {
  readonly accounts: GitHubAccounts;
  /** Model calls that clients carry. */
  readonly inferences: ClientInferences;
  readonly directory: ModelDirectory;
  readonly keyCommands: KeyCommands;
  /** Named to GitHub with each model call. */
  readonly integrationId: string;
  readonly gitHubHost: string;
  /** What the first call of a model needs, in pieces. */
  readonly loads: readonly (() => Promise<unknown>)[];
  /**
   * Tries what a session would call its models with: better now than at its first prompt.
   * @throws {RpcError} naming the setting that cannot be used.
   */
  check(settings: SessionSettings): Promise<void>;
  /** The session's wishes for a model, its GitHub token renewed when it is about to end. */
  queryOf(session: Session, asked?: AskedModel): Promise<ModelQuery>;
}

export interface AskedModel {
  /** Default: the session's. */
  readonly settings?: SessionSettings;
  /** The sub-agent that it is for. */
  readonly caller?: AgentCaller;
  /** Whoever goes on with the model's answers; left out where no run does. */
  readonly waiter?: Waiter;
}

/** @param isShared whether the server has several tenants now. */
export function createModels(config: Config, isShared: () => boolean, network: Network): Models {
  const { serverFetch } = network;
  const accounts = createGitHubAccounts({ apiUrl: config.gitHubApiUrl, fetch: serverFetch });
  const inferences = new ClientInferences();
  const keyCommands = createKeyCommands(config);
  const directory = createModelDirectory({ config, accounts, keyCommands, isShared, network });
  const gitHubHost = hostOf(config.gitHubApiUrl);
  return {
    accounts,
    inferences,
    directory,
    keyCommands,
    integrationId: config.integrationId ?? INTEGRATION_ID,
    gitHubHost,
    // Most sessions bring a provider that speaks OpenAI's wire.
    loads: providerLoads(config.demo ? "demo" : (config.serverProviders?.[0]?.type ?? "openai")),
    check: (settings) => checkSettings(settings, directory, accounts),
    queryOf: async (session, { settings, caller, waiter } = {}) => {
      const refreshed = refreshedGitHubToken(session, gitHubHost);
      if (refreshed) await session.waits.during(waiter, () => refreshed);
      const wanted =
        refreshed && settings ? { ...settings, gitHubToken: session.settings.gitHubToken } : settings;
      return modelQueryOf(session, inferences, !config.disableWebSocketResponses, wanted, caller, waiter);
    },
  };
}

interface DirectoryParts {
  readonly config: Config;
  readonly accounts: GitHubAccounts;
  readonly keyCommands: KeyCommands;
  readonly isShared: () => boolean;
  readonly network: Network;
}

function createModelDirectory(parts: DirectoryParts): ModelDirectory {
  const { config, accounts, keyCommands, isShared, network } = parts;
  const { proxies, serverFetch } = network;
  const privateHosts = toHosts(config.providerPrivateHosts);
  return new ModelDirectory({
    serverFetch,
    ownFetch: createGuardedFetch({
      proxies,
      isFree: (url) =>
        privateHosts.includes("*") ||
        (config.providerPrivateHosts === undefined && !isShared()) ||
        isNamed(url, privateHosts),
    }),
    serverProviders: config.serverProviders,
    idleTimeoutMs: config.modelIdleTimeout * 1000,
    serverModel: config.model,
    demo: config.demo,
    gitHubToken: config.gitHubToken,
    createProvider,
    createDemoProvider: () => createProvider({ type: "demo" }),
    createCopilotProvider: ({ token, baseUrl, fetch }) =>
      createProvider({
        type: "copilot",
        baseUrl,
        fetch: fetch ?? serverFetch,
        credential: async () => ({ kind: "bearer", value: token }),
        integrationId: config.integrationId ?? INTEGRATION_ID,
        idleTimeoutMs: config.modelIdleTimeout * 1000,
      }),
    copilotApiUrl: async (token) =>
      config.apiUrl ??
      (await accounts.resolve(token).catch(toModelError)).copilotApiUrl ??
      "https://api.githubcopilot.com",
    facts: lookUpModel,
    keyCommands,
  });
}

function createKeyCommands({ allowApiKeyCommands, environment, home }: Config): KeyCommands {
  return new KeyCommands({
    isAllowed: allowApiKeyCommands,
    run: async (command, timeoutMs) => {
      const { runHookCommand } = await import("../hooks/run-hook-command.ts");
      return runHookCommand({
        command,
        cwd: home,
        env: environment,
        input: "",
        timeoutMs,
        signal: new AbortController().signal,
        onLine: () => false,
      });
    },
  });
}

/** To a run, an account that cannot be had is a model that cannot be called. */
function toModelError(error: unknown): never {
  if (!(error instanceof AccountError)) throw error;
  const kind = error.kind === "rejected" ? "authentication" : "network";
  throw new ModelError(kind, error.message, { status: error.status, cause: error });
}

async function checkSettings(
  settings: SessionSettings,
  models: ModelDirectory,
  accounts: GitHubAccounts,
): Promise<void> {
  models.check(settings);
  if (settings.gitHubToken === undefined) return;
  try {
    await accounts.resolve(settings.gitHubToken, AbortSignal.timeout(TOKEN_CHECK_MS));
  } catch (error) {
    // A GitHub that does not answer holds nobody up: nor does it, in the end, refuse anybody.
    if ((error as Error).name === "TimeoutError") return;
    if (!(error instanceof AccountError)) throw error;
    if (error.kind === "rejected")
      throw new RpcError("authentication_failed", `gitHubToken: ${error.message}`, { path: "gitHubToken" });
    // Nobody could tell; the session is made, and its first prompt will show.
  }
}
