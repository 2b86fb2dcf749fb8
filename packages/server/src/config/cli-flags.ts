/**
 * Options of the Copilot CLI that scripts, samples and SDKs pass and that are no settings here: accepted where
 * nothing of what they ask for is missing, else refused with what to use.
 */
import { parseArgs } from "node:util";

/** They concern a terminal, or what there is none of. */
export const ACCEPTED_FLAGS: readonly string[] = [
  "alt-screen",
  "banner",
  // The server brings no MCP servers of its own.
  "disable-builtin-mcps",
  "mouse",
  "no-alt-screen",
  "no-banner",
  "no-color",
  "no-experimental",
  "no-mouse",
  "no-remote",
  "plain-diff",
  "screen-reader",
];

const NO_PROMPT =
  "the server takes no prompt on its command line; start it with --headless or --stdio and send prompts with an SDK";
const NO_MCP =
  "MCP servers are not connected for the whole server; name them in 'mcpServers' of session.create";
const SET_BY_SESSION = (option: string) => `it is set for each session; use '${option}' of session.create`;
const PERMISSION = (method: string) =>
  `permissions are settled for each session; use ${method}, or --allow-all`;
const RESUME = "sessions are resumed by clients; use session.resume of an SDK";
const MODE = "modes are set for each session; use session.mode.set";
const NO_TERMINAL = "there is no terminal interface; start the server with --headless or --stdio";

const REFUSED: Readonly<Record<string, string>> = {
  p: NO_PROMPT,
  prompt: NO_PROMPT,
  i: NO_PROMPT,
  interactive: NO_PROMPT,
  s: NO_PROMPT,
  silent: NO_PROMPT,
  share: NO_PROMPT,
  "share-gist": NO_PROMPT,
  "output-format": NO_PROMPT,
  attachment: NO_PROMPT,
  acp: "the Agent Client Protocol is not spoken; use --stdio or --port with a Copilot SDK",
  "embedded-host":
    "the runtime does not run inside of an application's process; let the SDK start it on stdio or TCP",
  "ui-server": NO_TERMINAL,
  "additional-mcp-config": NO_MCP,
  "add-github-mcp-tool": NO_MCP,
  "add-github-mcp-toolset": NO_MCP,
  "enable-all-github-mcp-tools": NO_MCP,
  "disable-mcp-server": SET_BY_SESSION("disabledMcpServers"),
  "plugin-dir":
    "plugins are not loaded; give sessions 'customAgents', 'instructionDirectories' and 'mcpServers' with session.create",
  "add-dir": SET_BY_SESSION("additionalDirectories"),
  agent: SET_BY_SESSION("agent"),
  "available-tools": SET_BY_SESSION("availableTools"),
  "excluded-tools": SET_BY_SESSION("excludedTools"),
  effort: SET_BY_SESSION("reasoningEffort"),
  "reasoning-effort": SET_BY_SESSION("reasoningEffort"),
  "enable-reasoning-summaries": SET_BY_SESSION("reasoningSummary"),
  name: "sessions are named by clients; use 'name' of session.create",
  stream: SET_BY_SESSION("streaming"),
  "no-custom-instructions": SET_BY_SESSION("skipCustomInstructions"),
  "no-ask-user": "questions are settled for each session; use 'askUserDisabled' of session.options.update",
  "disable-parallel-tools-execution":
    "tools of one answer run side by side where that is safe; it has no switch",
  experimental: SET_BY_SESSION("isExperimentalMode"),
  "allow-tool": PERMISSION("session.permissions.configure with 'rules.approved'"),
  "deny-tool": PERMISSION("session.permissions.configure with 'rules.denied'"),
  "allow-url": PERMISSION("session.permissions.configure with 'urls.initialAllowed'"),
  "deny-url": PERMISSION("session.permissions.configure with 'rules.denied'"),
  "allow-all-paths": PERMISSION("session.permissions.configure with 'paths.unrestricted'"),
  "allow-all-urls": PERMISSION("session.permissions.configure with 'urls.unrestricted'"),
  "allow-all-mcp-server-instructions": NO_MCP,
  "disallow-temp-dir": PERMISSION("session.permissions.configure with 'paths.includeTempDirectory'"),
  "secret-env-vars": "commands get a short list of variables and no others; --pass-environment names more",
  "bash-env": "commands get a short list of variables and no others; --pass-environment names more",
  "no-bash-env": "commands get a short list of variables and no others; --pass-environment names more",
  autopilot: MODE,
  plan: MODE,
  mode: MODE,
  "max-autopilot-continues": MODE,
  c: RESUME,
  continue: RESUME,
  r: RESUME,
  resume: RESUME,
  connect: RESUME,
};

/** Why an option of the Copilot CLI is not taken here; undefined when none of the arguments is one. */
export function foreignFlagProblem(
  argv: readonly string[],
  options: Record<string, { type: "string" | "boolean" }>,
): string | undefined {
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option" || !Object.hasOwn(REFUSED, token.name)) continue;
    return `${token.rawName}: ${REFUSED[token.name]}`;
  }
  return undefined;
}
