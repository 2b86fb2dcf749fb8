/**
 * Every setting of the server: its flag, its environment variable, its place in the config file, its
 * default, what it is for. One table; `--help`, parsing and the manual follow from it.
 */
export type OptionType = "string" | "boolean" | "integer" | "seconds" | "bytes" | "choice";

export interface OptionSpec {
  readonly type: OptionType;
  /** Without the dashes; undefined for a setting that has none. */
  readonly flag?: string;
  /** Other names of the flag, by which scripts and SDKs for the Copilot CLI know it. */
  readonly otherFlags?: readonly string[];
  /** In this order; the first that is set and not empty counts. */
  readonly env?: readonly string[];
  /** Key in the config file; default: the option's name. Null keeps it out (secrets have `env` alone). */
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  readonly placeholder?: string;
  readonly description: string;
  readonly min?: number;
  readonly max?: number;
  /** Accepted because SDKs pass it; has no effect, and the description says why. */
  readonly hidden?: boolean;
}

export const OPTIONS = {
  headless: {
    type: "boolean",
    flag: "headless",
    otherFlags: ["server"],
    default: true,
    description: "Serve clients; the only mode there is",
  },
  port: {
    type: "integer",
    flag: "port",
    default: 0,
    min: 0,
    max: 65535,
    placeholder: "N",
    description: "TCP port to listen on; 0 for a free one",
  },
  host: {
    type: "string",
    flag: "host",
    default: "localhost",
    placeholder: "H",
    description: "Address to listen on; loopback unless told otherwise",
  },
  httpPort: {
    type: "integer",
    flag: "http-port",
    env: ["RIGHTSEAT_HTTP_PORT"],
    min: 0,
    max: 65535,
    placeholder: "N",
    description: "Port for /healthz, /readyz, /metrics and /version over HTTP; off unless set",
  },
  httpHost: {
    type: "string",
    flag: "http-host",
    env: ["RIGHTSEAT_HTTP_HOST"],
    placeholder: "H",
    description: "Address of the HTTP port; default: that of the server",
  },
  stdio: {
    type: "boolean",
    flag: "stdio",
    default: false,
    description: "Serve one client on standard input and output instead of TCP",
  },
  config: {
    type: "string",
    flag: "config",
    env: ["RIGHTSEAT_CONFIG"],
    placeholder: "FILE",
    description: "JSON file with settings; flags and environment go before it",
  },
  demo: {
    type: "boolean",
    flag: "demo",
    env: ["RIGHTSEAT_DEMO"],
    default: false,
    description: "Answer every model with the built-in demo model: no key, no network",
  },
  logLevel: {
    type: "choice",
    flag: "log-level",
    env: ["RIGHTSEAT_LOG_LEVEL"],
    default: "info",
    choices: ["none", "error", "warning", "info", "debug", "all"],
    placeholder: "LEVEL",
    description: "How much to log on standard error",
  },
  logDir: {
    type: "string",
    flag: "log-dir",
    env: ["RIGHTSEAT_LOG_DIR"],
    placeholder: "DIR",
    description: "Write the log to a file in this directory as well",
  },
  auditLog: {
    type: "string",
    flag: "audit-log",
    env: ["RIGHTSEAT_AUDIT_LOG"],
    placeholder: "FILE",
    description: "Write who did what to this file, one JSON object a line",
  },
  auditFailure: {
    type: "choice",
    flag: "audit-failure",
    env: ["RIGHTSEAT_AUDIT_FAILURE"],
    default: "refuse",
    choices: ["refuse", "continue"],
    placeholder: "MODE",
    description:
      "While the audit log cannot be written: refuse what would be in it, or go on and count what is missing",
  },
  home: {
    type: "string",
    flag: "config-dir",
    env: ["COPILOT_HOME", "RIGHTSEAT_HOME"],
    placeholder: "DIR",
    description: "Where sessions are kept; default ~/.copilot",
  },
  sessionIdleTimeout: {
    type: "seconds",
    flag: "session-idle-timeout",
    env: ["RIGHTSEAT_SESSION_IDLE_TIMEOUT"],
    default: 0,
    min: 0,
    placeholder: "S",
    description:
      "Shut sessions down after so many seconds without use; 0 for never (they sleep instead, and wake unnoticed)",
  },
  hibernateAfter: {
    type: "seconds",
    flag: "hibernate-after",
    env: ["RIGHTSEAT_HIBERNATE_AFTER"],
    default: 60,
    min: 1,
    placeholder: "S",
    description: "Put unused sessions to sleep after so many seconds",
  },
  shutdownGrace: {
    type: "seconds",
    flag: "shutdown-grace",
    env: ["RIGHTSEAT_SHUTDOWN_GRACE"],
    default: 10,
    min: 0,
    placeholder: "S",
    description: "How long running turns may go on after SIGTERM",
  },
  questionDeadline: {
    type: "seconds",
    flag: "question-deadline",
    env: ["RIGHTSEAT_QUESTION_DEADLINE"],
    default: 3600,
    min: 1,
    placeholder: "S",
    description: "How long a tool call or permission request waits for a client's answer",
  },
  hookDeadline: {
    type: "seconds",
    flag: "hook-deadline",
    env: ["RIGHTSEAT_HOOK_DEADLINE"],
    default: 300,
    min: 1,
    placeholder: "S",
    description: "How long a client's hook is waited for; after that it counts as not answered",
  },
  modelIdleTimeout: {
    type: "seconds",
    flag: "model-idle-timeout",
    env: ["RIGHTSEAT_MODEL_IDLE_TIMEOUT"],
    default: 600,
    min: 1,
    max: 86_400,
    placeholder: "S",
    description: "How long a model provider may send nothing before its call is given up",
  },
  tlsCert: {
    type: "string",
    flag: "tls-cert",
    env: ["RIGHTSEAT_TLS_CERT"],
    placeholder: "FILE",
    description: "Serve TLS with this certificate (PEM, with its chain)",
  },
  tlsKey: {
    type: "string",
    flag: "tls-key",
    env: ["RIGHTSEAT_TLS_KEY"],
    placeholder: "FILE",
    description: "The certificate's private key (PEM)",
  },
  tlsCa: {
    type: "string",
    flag: "tls-ca",
    env: ["RIGHTSEAT_TLS_CA"],
    placeholder: "FILE",
    description: "Clients have to bring a certificate that one of these authorities signed (PEM)",
  },
  requireAuth: {
    type: "boolean",
    flag: "require-auth",
    env: ["RIGHTSEAT_REQUIRE_AUTH"],
    default: false,
    description: "Do not start unless clients have to say who they are",
  },
  maxConnections: {
    type: "integer",
    flag: "max-connections",
    env: ["RIGHTSEAT_MAX_CONNECTIONS"],
    default: 20_000,
    min: 1,
    placeholder: "N",
    description: "How many clients may be connected at once",
  },
  maxMessageBytes: {
    type: "bytes",
    flag: "max-message-bytes",
    env: ["RIGHTSEAT_MAX_MESSAGE_BYTES"],
    default: 64 * 1024 * 1024,
    min: 1024,
    placeholder: "N",
    description: "Largest message accepted from a client",
  },
  maxWaitingBytes: {
    type: "bytes",
    flag: "max-waiting-bytes",
    env: ["RIGHTSEAT_MAX_WAITING_BYTES"],
    default: 64 * 1024 * 1024,
    min: 65536,
    placeholder: "N",
    description: "How much may wait for a client that does not read before its connection is closed",
  },
  durability: {
    type: "choice",
    flag: "durability",
    env: ["RIGHTSEAT_DURABILITY"],
    default: "fsync",
    choices: ["fsync", "os"],
    placeholder: "MODE",
    description: "fsync: what is acknowledged survives a power cut; os: it survives a crash of the server",
  },
  connectionToken: {
    type: "string",
    env: ["COPILOT_CONNECTION_TOKEN"],
    description: "Shared secret that clients have to bring",
  },
  model: {
    type: "string",
    flag: "model",
    env: ["COPILOT_MODEL"],
    placeholder: "ID",
    description: "The model of sessions that name none",
  },
  allowAll: {
    type: "boolean",
    flag: "allow-all",
    otherFlags: ["yolo", "allow-all-tools"],
    env: ["RIGHTSEAT_ALLOW_ALL"],
    default: false,
    description:
      "New sessions begin with all permissions allowed: nobody is asked; a session's policy that forbids it wins",
  },
  authTokenEnv: {
    type: "string",
    flag: "auth-token-env",
    placeholder: "NAME",
    description: "Environment variable that holds the server's GitHub token",
  },
  apiUrl: {
    type: "string",
    env: ["COPILOT_API_URL"],
    placeholder: "URL",
    description: "GitHub's Copilot API, if not the one the account names",
  },
  gitHubApiUrl: {
    type: "string",
    env: ["COPILOT_DEBUG_GITHUB_API_URL"],
    default: "https://api.github.com",
    placeholder: "URL",
    description: "GitHub's REST API",
  },
  integrationId: {
    type: "string",
    env: ["GITHUB_COPILOT_INTEGRATION_ID"],
    placeholder: "ID",
    description: "Integration id sent to GitHub's Copilot API",
  },
  offline: {
    type: "boolean",
    env: ["COPILOT_OFFLINE"],
    default: false,
    description: "Never use a GitHub token",
  },
  allowProviderEndpoint: {
    type: "boolean",
    env: ["COPILOT_ALLOW_GET_PROVIDER_ENDPOINT"],
    default: false,
    description: "Let clients read the credentials of a session's provider (session.provider.getEndpoint)",
  },
  allowApiKeyCommands: {
    type: "boolean",
    env: ["RIGHTSEAT_ALLOW_API_KEY_COMMANDS"],
    default: false,
    description:
      "Run the commands by which clients' providers tell their keys (apiKeyCommand), as the user that the server runs as, without asking anybody",
  },
  fetchPrivateHosts: {
    type: "string",
    flag: "fetch-private-hosts",
    env: ["RIGHTSEAT_FETCH_PRIVATE_HOSTS"],
    placeholder: "LIST",
    description:
      "Hosts, or hosts with ports, with commas between, that web_fetch may reach although they are not on the public internet",
  },
  providerPrivateHosts: {
    type: "string",
    flag: "provider-private-hosts",
    env: ["RIGHTSEAT_PROVIDER_PRIVATE_HOSTS"],
    placeholder: "LIST",
    description:
      "Hosts, or hosts with ports, with commas between, where providers that sessions bring may be although they are not on the public internet; * for all, which is the default while there is one principal or none",
  },
  passEnvironment: {
    type: "string",
    flag: "pass-environment",
    env: ["RIGHTSEAT_PASS_ENVIRONMENT"],
    placeholder: "NAMES",
    description:
      "Variables, with commas between, that commands get besides the base ones; NAME_* for all that begin so",
  },
  childNiceness: {
    type: "integer",
    flag: "child-niceness",
    env: ["RIGHTSEAT_CHILD_NICENESS"],
    min: 0,
    max: 19,
    placeholder: "N",
    description:
      "How far commands, hooks and searches give way to the server where both want the processor; 0 for not at all, 19 for most; default 10 on a server of several principals, 0 otherwise",
  },
  disableWebSocketResponses: {
    type: "boolean",
    env: ["COPILOT_CLI_DISABLE_WEBSOCKET_RESPONSES"],
    default: false,
    description: "Never carry calls that go through a client's request handler over a WebSocket",
  },
  noAutoUpdate: {
    type: "boolean",
    flag: "no-auto-update",
    hidden: true,
    description:
      "Accepted: there is no auto-update; SDKs give it to the runtime that they start, which ends with them",
  },
  noAutoLogin: {
    type: "boolean",
    flag: "no-auto-login",
    hidden: true,
    description: "Leave GH_TOKEN and GITHUB_TOKEN alone: only tokens that are meant for this server are used",
  },
  remote: {
    type: "boolean",
    flag: "remote",
    hidden: true,
    description: "Accepted: remote sessions are not offered",
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

type ValueOf<S extends OptionSpec> = S["type"] extends "boolean"
  ? boolean
  : S["type"] extends "string"
    ? string
    : S extends { choices: readonly (infer C)[] }
      ? C
      : number;

/** The values after flags, environment, file and defaults; a setting without any is undefined. */
export type OptionValues = {
  readonly [N in OptionName]: "default" extends keyof (typeof OPTIONS)[N]
    ? ValueOf<(typeof OPTIONS)[N]>
    : ValueOf<(typeof OPTIONS)[N]> | undefined;
};
