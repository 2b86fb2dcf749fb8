/** The server's own model providers, as its environment names them. */
import { providerProblem, tidyProvider } from "../models/provider-address.ts";
import type { ProviderSource } from "../models/provider-source.ts";
import { ConfigError } from "./config-error.ts";

export interface ProviderEnvironment {
  readonly serverProviders: readonly ProviderSource[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const TYPES = ["openai", "azure", "anthropic"] as const;
const WIRE_APIS = ["completions", "responses"] as const;

/**
 * `COPILOT_PROVIDER_BASE_URL` and its siblings name one provider; without it, `OPENAI_API_KEY` and
 * `ANTHROPIC_API_KEY` (with `OPENAI_BASE_URL`, `ANTHROPIC_BASE_URL`) name the well-known ones.
 * @throws ConfigError
 */
export function readProviders(env: Environment): ProviderEnvironment {
  const baseUrl = env.COPILOT_PROVIDER_BASE_URL;
  if (baseUrl)
    return { serverProviders: [checked(namedByCopilotVariables(env, baseUrl), COPILOT_VARIABLES)] };
  const providers: ProviderSource[] = [];
  if (env.OPENAI_API_KEY) {
    const baseUrl = env.OPENAI_BASE_URL || "https://api.openai.com/v1";
    const variables = { baseUrl: "OPENAI_BASE_URL", apiKey: "OPENAI_API_KEY" };
    providers.push(checked({ type: "openai", baseUrl, apiKey: env.OPENAI_API_KEY }, variables));
  }
  if (env.ANTHROPIC_API_KEY) {
    const baseUrl = env.ANTHROPIC_BASE_URL || "https://api.anthropic.com";
    const variables = { baseUrl: "ANTHROPIC_BASE_URL", apiKey: "ANTHROPIC_API_KEY" };
    providers.push(checked({ type: "anthropic", baseUrl, apiKey: env.ANTHROPIC_API_KEY }, variables));
  }
  return { serverProviders: providers };
}

const COPILOT_VARIABLES = {
  baseUrl: "COPILOT_PROVIDER_BASE_URL",
  apiKey: "COPILOT_PROVIDER_API_KEY",
  bearerToken: "COPILOT_PROVIDER_BEARER_TOKEN",
  headers: "COPILOT_PROVIDER_HEADERS",
};

/** As it is meant. @throws ConfigError naming the variable. */
function checked(given: ProviderSource, variables: Readonly<Record<string, string>>): ProviderSource {
  const provider = tidyProvider(given);
  const problem = providerProblem(provider);
  if (problem) throw new ConfigError(`${variables[problem.field]}: ${problem.message}`);
  return provider;
}

function namedByCopilotVariables(env: Environment, baseUrl: string): ProviderSource {
  return {
    baseUrl,
    type: oneOf("COPILOT_PROVIDER_TYPE", env, TYPES),
    wireApi: oneOf("COPILOT_PROVIDER_WIRE_API", env, WIRE_APIS),
    apiKey: env.COPILOT_PROVIDER_API_KEY || undefined,
    bearerToken: env.COPILOT_PROVIDER_BEARER_TOKEN || undefined,
    azure: env.COPILOT_PROVIDER_AZURE_API_VERSION
      ? { apiVersion: env.COPILOT_PROVIDER_AZURE_API_VERSION }
      : undefined,
    modelId: env.COPILOT_PROVIDER_MODEL_ID || undefined,
    wireModel: env.COPILOT_PROVIDER_WIRE_MODEL || undefined,
    maxPromptTokens: tokens("COPILOT_PROVIDER_MAX_PROMPT_TOKENS", env),
    maxOutputTokens: tokens("COPILOT_PROVIDER_MAX_OUTPUT_TOKENS", env),
    headers: headers(env),
  };
}

function oneOf<T extends string>(name: string, env: Environment, choices: readonly T[]): T | undefined {
  const value = env[name];
  if (!value) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new ConfigError(`${name}: expected one of ${choices.join(", ")}, got ${JSON.stringify(value)}`);
  return choice;
}

function tokens(name: string, env: Environment): number | undefined {
  const value = env[name];
  if (!value) return undefined;
  if (!/^[1-9]\d*$/.test(value))
    throw new ConfigError(`${name}: expected a number of tokens, got ${JSON.stringify(value)}`);
  return Number(value);
}

/** A JSON object, or `Name: value` pairs separated by newlines or commas. The values may be secrets: errors name none. */
function headers(env: Environment): Record<string, string> | undefined {
  const value = env.COPILOT_PROVIDER_HEADERS?.trim();
  if (!value) return undefined;
  const fail = () =>
    new ConfigError(
      "COPILOT_PROVIDER_HEADERS: expected a JSON object of names and values, or 'Name: value' pairs separated by commas or newlines",
    );
  if (value.startsWith("{")) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(value);
    } catch {
      throw fail();
    }
    const entries = Object.entries(parsed as object);
    if (!entries.every(([, header]) => typeof header === "string")) throw fail();
    return Object.fromEntries(entries) as Record<string, string>;
  }
  return Object.fromEntries(
    value
      .split(/[\n,]/)
      .filter((pair) => pair.trim() !== "")
      .map((pair) => {
        const colon = pair.indexOf(":");
        if (colon < 1) throw fail();
        return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
      }),
  );
}
