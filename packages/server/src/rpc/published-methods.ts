/** Method groups that the published contract has, to tell "not here" from "no such thing". */
const GROUPS: ReadonlySet<string> = new Set([
  "account",
  "agentRegistry",
  "agents",
  "catalog",
  "commands",
  "extensions",
  "hooks",
  "instructions",
  "llmInference",
  "managedSettings",
  "mcp",
  "models",
  "plugins",
  "runtime",
  "secrets",
  "session",
  "sessionFs",
  "sessions",
  "skills",
  "tools",
  "user",
]);

/** Why a method is not served, where there is more to say than that it is not. */
const REASONS: ReadonlyMap<string, string> = new Map([
  [
    "session.model.switchAutoTier",
    "which model 'auto' is, is GitHub's to say; choose a model by session.model.switchTo",
  ],
]);

/** What is said of a published method that is not served; undefined when there is no such method. */
export function refusalOfMethod(method: string): string | undefined {
  const dot = method.indexOf(".");
  if (dot <= 0 || !GROUPS.has(method.slice(0, dot))) return undefined;
  const reason = REASONS.get(method);
  return `Method not supported by this server: ${method}${reason === undefined ? "" : ` (${reason})`}`;
}
