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

export function isPublishedMethod(method: string): boolean {
  const dot = method.indexOf(".");
  return dot > 0 && GROUPS.has(method.slice(0, dot));
}
