/**
 * The environment of the processes that the server starts: shells, hooks of repositories, git. A list of what
 * programs need to run at all, and what the operator names; never what the server's own settings are read from.
 */
import { ConfigError } from "./config-error.ts";
import { OPTIONS } from "./options.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that say where things are and how to talk to people. None of them is there to hold a secret. */
const BASE: ReadonlySet<string> = new Set([
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "TMPDIR", "TMP", "TEMP"],
  ...["LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "CI"],
  ...["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"],
  ...["XDG_CONFIG_DIRS", "XDG_DATA_DIRS"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"],
  "GIT_SSL_CAINFO",
  ...["JAVA_HOME", "GOROOT", "GOPATH", "CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "PNPM_HOME"],
  ...["PYENV_ROOT", "VIRTUAL_ENV", "DOTNET_ROOT"],
]);
const PROXY = /^(?:https?|all|no)_proxy$/i;
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i;
const URL_WITH_USER = /^[a-z][a-z0-9+.-]*:\/\/[^/\s@]+@/i;

/** What the settings are read from, besides the table of options. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  ...Object.values(OPTIONS).flatMap((option) => ("env" in option ? (option.env as readonly string[]) : [])),
  ...["GH_TOKEN", "GITHUB_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"],
  ...["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
]);

/**
 * What makes a command do more than its words say: bash runs a file first or finds other directories and programs,
 * the loader loads code, git, ripgrep, tar and less take further options. Commands are allowed by their words.
 */
const BENDS_COMMANDS = new RegExp(
  `^(?:${[
    ...["BASH_ENV", "ENV", "BASH_FUNC_.*", "BASHOPTS", "SHELLOPTS", "BASH_COMPAT", "CDPATH", "OLDPWD"],
    ...["GLOBIGNORE", "EXECIGNORE", "IFS", "PS4", "PROMPT_COMMAND", "POSIXLY_CORRECT", "_POSIX2_VERSION"],
    ...["LD_.*", "DYLD_.*", "GCONV_PATH", "LOCPATH", "NLSPATH", "HOSTALIASES"],
    ...["GIT_CONFIG.*", "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF"],
    ...["GIT_PAGER", "GIT_TEMPLATE_DIR", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"],
    ...["RIPGREP_CONFIG_PATH", "GREP_OPTIONS", "TAR_OPTIONS", "LESSOPEN", "LESSCLOSE", "JQ_LIBRARY_PATH"],
  ].join("|")})$`,
);

export interface ChildEnvironmentOptions {
  /** Names with commas or blanks between; one that ends in `*` stands for all that begin so. */
  readonly passed: string | undefined;
  /** The variable that holds the server's GitHub token. */
  readonly authTokenEnv: string | undefined;
}

/** @throws ConfigError for a name that the server's own settings are read from, or that bends commands. */
export function childEnvironment(env: Environment, options: ChildEnvironmentOptions): Record<string, string> {
  const isOwn = (name: string) =>
    /^(?:COPILOT|RIGHTSEAT)_/i.test(name) || OWN_NAMES.has(name) || name === options.authTokenEnv;
  const passed = (options.passed ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const own = passed.find((name) => !name.endsWith("*") && isOwn(name));
  if (own !== undefined)
    throw new ConfigError(
      `passEnvironment: expected names of variables that the server's own settings are not read from, got '${own}'; give commands what they need of it under another name`,
    );
  const bent = passed.find((name) => BENDS_COMMANDS.test(name));
  if (bent !== undefined)
    throw new ConfigError(
      `passEnvironment: expected names of variables that do not change what commands do, got '${bent}'; permissions go by the words of a command`,
    );
  const isPassed = (name: string) =>
    !BENDS_COMMANDS.test(name) &&
    passed.some((wanted) => (wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : wanted === name));
  const child: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || isOwn(name)) continue;
    if (isPassed(name)) child[name] = value;
    else if (PROXY.test(name)) child[name] = value.replace(USER_INFO, "$1");
    else if ((BASE.has(name) || name.startsWith("LC_")) && !URL_WITH_USER.test(value)) child[name] = value;
  }
  return child;
}
