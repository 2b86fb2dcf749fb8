/**
 * Puts the settings together: flags over environment over file over default. The only place that
 * reads the command line and the environment.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AccessConfig } from "../auth/access-config.ts";
import type { LimitsConfig } from "../limits/limits-config.ts";
import type { ProxySettings } from "../network/proxies.ts";
import { userHome } from "../tools/user-home.ts";
import { readAccess } from "./access.ts";
import { childEnvironment, type Environment } from "./child-environment.ts";
import { ACCEPTED_FLAGS, foreignFlagProblem } from "./cli-flags.ts";
import { ConfigError } from "./config-error.ts";
import { readLimits } from "./limits.ts";
import { OPTIONS, type OptionName, type OptionSpec, type OptionValues } from "./options.ts";
import { type ProviderEnvironment, readProviders } from "./providers.ts";
import { readProxies } from "./proxies.ts";
import { readTenants, type TenantDirectories } from "./tenants.ts";
import { unattendedEnvironment } from "./unattended-environment.ts";

export interface Config extends OptionValues, ProviderEnvironment {
  readonly home: string;
  /** What the processes that it starts get of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /** What SDKs ask of a server that they start by its environment, and this one does not do: one line for each. */
  readonly withoutEffect: readonly string[];
  /** The server's GitHub token. */
  readonly gitHubToken: string | undefined;
  /** Principals and issuers that may connect, besides clients with the shared secret. */
  readonly access: AccessConfig;
  readonly limits: LimitsConfig;
  /** Undefined where requests go straight to their hosts. */
  readonly proxies: ProxySettings | undefined;
  /** Where on the disk the sessions of tenants work. */
  readonly tenants: Readonly<Record<string, TenantDirectories>>;
  /** Paths of the certificate and what belongs to it, when the port speaks TLS. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined;
}

/** What the config file has besides the settings of the table: objects, read by modules of their own. */
const SECTIONS: readonly string[] = ["auth", "limits", "tenants"];

export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "serve"; readonly config: Config };

const SPECS: readonly (readonly [OptionName, OptionSpec])[] = Object.entries(OPTIONS) as [
  OptionName,
  OptionSpec,
][];

/** @throws ConfigError naming the setting, what was expected and what came. */
export function loadConfig(argv: readonly string[], env: Environment): Invocation {
  const flags = parseFlags(argv);
  if (flags.help) return { kind: "help" };
  if (flags.version) return { kind: "version" };
  const file = readFile(pick(flags.config, env.RIGHTSEAT_CONFIG));
  const values: Record<string, unknown> = {};
  for (const [name, spec] of SPECS) values[name] = settingOf(name, spec, flags, env, file);
  const options = values as unknown as OptionValues;
  const config: Config = {
    ...options,
    environment: unattendedEnvironment(
      childEnvironment(env, { passed: options.passEnvironment, authTokenEnv: options.authTokenEnv }),
    ),
    withoutEffect: withoutEffect(env),
    home: options.home ?? join(userHome(), ".copilot"),
    gitHubToken: options.offline ? undefined : gitHubToken(options, trimmed(env)),
    access: readAccess(file.auth),
    limits: readLimits(file.limits),
    tenants: readTenants(file.tenants),
    tls: tlsFiles(options),
    proxies: readProxies(env),
    ...readProviders(trimmed(env)),
  };
  return { kind: "serve", config };
}

function withoutEffect(env: Environment): string[] {
  return env.COPILOT_OTEL_ENABLED === "true"
    ? ["'COPILOT_OTEL_ENABLED' in the server's environment has no effect: telemetry is not exported"]
    : [];
}

export function helpText(): string {
  const lines = SPECS.filter(([, spec]) => spec.flag !== undefined && !spec.hidden).map(([, spec]) => {
    const names = flagsOf(spec).map((flag) => `--${flag}`);
    const left = `  ${names.join(", ")}${spec.placeholder ? ` ${spec.placeholder}` : ""}`;
    const choices = spec.choices ? ` (${spec.choices.join(", ")})` : "";
    const fallback =
      spec.default !== undefined && spec.default !== false && spec.default !== true
        ? ` [${spec.default}]`
        : "";
    const start = left.length < 30 ? left.padEnd(30) : `${left}\n${" ".repeat(30)}`;
    return `${start}${spec.description}${choices}${fallback}`;
  });
  const environment = SPECS.filter(([, spec]) => spec.env !== undefined).map(
    ([, spec]) => `  ${(spec.env as string[]).join(", ").padEnd(44)}${spec.description}`,
  );
  return [
    "rightseat: an open, headless agent runtime that the official Copilot SDKs can drive",
    "",
    "Usage: rightseat --headless [--port N] [--host H] [options]",
    "       rightseat --stdio [options]",
    "       rightseat token [--hash]",
    "",
    "Options:",
    ...lines,
    `${"  --version".padEnd(30)}Print the version`,
    `${"  --help".padEnd(30)}Print this`,
    "",
    "Environment:",
    ...environment,
    `  ${"COPILOT_PROVIDER_*".padEnd(44)}The server's model provider; see the manual`,
    `  ${"OPENAI_API_KEY, ANTHROPIC_API_KEY".padEnd(44)}The same, in one variable`,
    `  ${"COPILOT_GITHUB_TOKEN, GH_TOKEN, GITHUB_TOKEN".padEnd(44)}The server's GitHub token, for GitHub's Copilot API`,
    "",
  ].join("\n");
}

type Flags = Record<string, string | boolean | undefined>;

function flagsOf({ flag, otherFlags = [] }: OptionSpec): readonly string[] {
  return flag === undefined ? [] : [flag, ...otherFlags];
}

function parseFlags(argv: readonly string[]): Flags {
  const options: Record<string, { type: "string" | "boolean" }> = {
    help: { type: "boolean" },
    version: { type: "boolean" },
  };
  for (const [, spec] of SPECS)
    for (const flag of flagsOf(spec))
      options[flag] = { type: spec.type === "boolean" ? "boolean" : "string" };
  for (const flag of ACCEPTED_FLAGS) options[flag] = { type: "boolean" };
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values as Flags;
  } catch (error) {
    const problem = foreignFlagProblem(argv, options);
    if (problem !== undefined) throw new ConfigError(problem, { cause: error });
    const message = (error as Error).message.split(". ")[0] ?? "bad arguments";
    throw new ConfigError(`${message}; 'rightseat --help' lists the options`, { cause: error });
  }
}

function readFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  let text: string;
  try {
    // Editors of some systems put a mark at the beginning.
    text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    throw new ConfigError(`--config: expected a readable file, got ${path} (${(error as Error).message})`, {
      cause: error,
    });
  }
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`--config: expected JSON in ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (file === null || typeof file !== "object" || Array.isArray(file)) {
    throw new ConfigError(`--config: expected a JSON object in ${path}`);
  }
  for (const key of Object.keys(file)) {
    if (SECTIONS.includes(key)) continue;
    if (!Object.hasOwn(OPTIONS, key) || key === "config" || key === "headless" || key === "stdio") {
      const known = SPECS.map(([name]) => name).filter(
        (name) => !["config", "headless", "stdio"].includes(name),
      );
      const expected = [...known, ...SECTIONS].join(", ");
      throw new ConfigError(`${path}: unknown setting '${key}'; expected one of ${expected}`);
    }
  }
  return file as Record<string, unknown>;
}

function settingOf(
  name: OptionName,
  spec: OptionSpec,
  flags: Flags,
  env: Environment,
  file: Record<string, unknown>,
): unknown {
  for (const flag of flagsOf(spec))
    if (flags[flag] !== undefined) return convert(`--${flag}`, spec, flags[flag]);
  const variable = spec.env?.find((candidate) => env[candidate] !== undefined && env[candidate] !== "");
  if (variable !== undefined) return convert(variable, spec, (env[variable] as string).trim());
  if (file[name] !== undefined) return convert(`config file: ${name}`, spec, file[name]);
  return spec.default;
}

function convert(where: string, spec: OptionSpec, value: unknown): unknown {
  const fail = (expected: string) =>
    new ConfigError(`${where}: expected ${expected}, got ${JSON.stringify(value)}`);
  switch (spec.type) {
    case "boolean": {
      if (typeof value === "boolean") return value;
      if (/^(1|true|yes|on)$/i.test(String(value))) return true;
      if (/^(0|false|no|off)$/i.test(String(value))) return false;
      throw fail("true or false");
    }
    case "choice":
      if (spec.choices?.includes(String(value))) return value;
      throw fail(`one of ${spec.choices?.join(", ")}`);
    case "string":
      if (typeof value === "string" && value !== "") return value;
      throw fail("text");
    default: {
      const number =
        typeof value === "number" ? value : /^\d+(\.\d+)?$/.test(String(value)) ? Number(value) : Number.NaN;
      const min = spec.min ?? 0;
      const max = spec.max ?? Number.MAX_SAFE_INTEGER;
      if (number >= min && number <= max && (spec.type === "seconds" || Number.isInteger(number)))
        return number;
      const range = spec.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
      throw fail(spec.type === "seconds" ? `a number of seconds ${range}` : `a whole number ${range}`);
    }
  }
}

function tlsFiles({ tlsCert, tlsKey, tlsCa }: OptionValues): Config["tls"] {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new ConfigError("--tls-cert and --tls-key: expected both; for --tls-ca they are needed too");
  return { cert: tlsCert, key: tlsKey, ...(tlsCa === undefined ? {} : { ca: tlsCa }) };
}

/** A secret that was read from a file often ends in a newline. */
function trimmed(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.trim()]));
}

/** Without auto-login, tokens that are meant for other programs are nobody's here. */
function gitHubToken(options: OptionValues, env: Environment): string | undefined {
  const named = options.authTokenEnv === undefined ? undefined : env[options.authTokenEnv];
  const meant = pick(named, env.COPILOT_SDK_AUTH_TOKEN, env.COPILOT_GITHUB_TOKEN);
  return options.noAutoLogin ? meant : pick(meant, env.GH_TOKEN, env.GITHUB_TOKEN);
}

/** The first that is set and not empty. */
function pick(...candidates: (string | boolean | undefined)[]): string | undefined {
  return candidates.find(
    (candidate): candidate is string => typeof candidate === "string" && candidate !== "",
  );
}
