/** How much tenants and the server may do, as the config file says it under `limits`. A limit left out is none. */
export interface TenantLimits {
  /** Clients connected at once. */
  readonly connections?: number;
  /** Sessions open at once. */
  readonly openSessions?: number;
  /** Runs at once. */
  readonly runningTurns?: number;
  readonly turnsPerMinute?: number;
  readonly turnsPerDay?: number;
  /** Model calls of one run; has a default. */
  readonly turnsPerRun?: number;
  /** How often the same tool may fail with the same arguments, in one run; has a default. */
  readonly identicalFailures?: number;
  /** Tokens of models, in and out. */
  readonly tokensPerMinute?: number;
  readonly tokensPerDay?: number;
  /** The size of all its sessions together. */
  readonly storedBytes?: number;
  /** The memory of things that its clients bring and do not fetch: tools, settings, prompts that wait, open questions, unread answers. */
  readonly memoryBytes?: number;
  /** The largest message that its clients may send. */
  readonly messageBytes?: number;
  /** How much its clients may send a second, together; what is more is read later. */
  readonly bytesPerSecond?: number;
  /** Commands that its sessions have running at once; each with all that it has started is one. */
  readonly childProcesses?: number;
  /** Sessions are shut down after so many seconds without use. */
  readonly idleTimeoutSeconds?: number;
  /** Sessions are deleted after so many days without use. */
  readonly retentionDays?: number;
}

export type TenantLimitName = keyof TenantLimits;

export interface ServerLimits {
  /** Runs at once, of all tenants; what is more waits, in fair turn. */
  readonly runningTurns?: number;
  /** Runs that may wait; what is more is refused. */
  readonly waitingTurns?: number;
}

export interface LimitsConfig {
  readonly default: TenantLimits;
  /** By tenant; what one leaves out, it has from `default`. */
  readonly tenants: Readonly<Record<string, TenantLimits>>;
  readonly server: ServerLimits;
}

export const NO_LIMITS: LimitsConfig = { default: {}, tenants: {}, server: {} };

/** Every limit of a tenant: a positive whole number. */
export const TENANT_LIMITS: readonly TenantLimitName[] = [
  "connections",
  "openSessions",
  "runningTurns",
  "turnsPerMinute",
  "turnsPerDay",
  "turnsPerRun",
  "identicalFailures",
  "tokensPerMinute",
  "tokensPerDay",
  "storedBytes",
  "memoryBytes",
  "messageBytes",
  "bytesPerSecond",
  "childProcesses",
  "idleTimeoutSeconds",
  "retentionDays",
];

export function limitsOf(config: LimitsConfig, tenant: string): TenantLimits {
  const own = Object.hasOwn(config.tenants, tenant) ? config.tenants[tenant] : undefined;
  return own === undefined ? config.default : { ...config.default, ...own };
}
