/** The tools that a client brings: refused where they cannot be offered, and told of where a name has no tool. */
import { RpcError } from "@rightseat/protocol";
import type { ClientLink } from "../../members/client-link.ts";
import { type SessionSettings, type SettingsParams, toTools } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import { OPT_IN_TOOLS } from "./offered-tools.ts";
import { isChosen } from "./tool-filter.ts";

/** What model providers take as a tool's name. */
const NAME = /^[a-zA-Z0-9_-]+$/;

/** @throws RpcError `invalid_params` with the place of the first tool that cannot be offered. */
export function checkTools(
  method: string,
  settings: SessionSettings,
  tools: SettingsParams["tools"],
  builtIn: ReadonlySet<string>,
): void {
  if (!Array.isArray(tools)) return;
  tools.forEach((tool: { name?: unknown; overridesBuiltInTool?: unknown } | null, index) => {
    const name = tool?.name;
    const path = `tools[${index}].name`;
    const refuse = (why: string) =>
      new RpcError("invalid_params", `${method}: ${path}: ${why}`, { path, name });
    if (typeof name !== "string" || !NAME.test(name))
      throw refuse(
        `expected a name of ASCII letters, digits, underscores and hyphens, got ${JSON.stringify(name)}`,
      );
    if (tool?.overridesBuiltInTool === true || !builtIn.has(name) || OPT_IN_TOOLS.has(name)) return;
    // What the settings keep out is in nobody's way.
    if (
      !isChosen({ settings }, { name, source: "builtin" }) ||
      !isChosen({ settings }, { name, source: "custom" })
    )
      return;
    throw refuse(
      `External tool "${name}" conflicts with a built-in tool of the same name. Set overridesBuiltInTool: true to use it instead, or leave the built-in one out with excludedTools: ["builtin:${name}"]`,
    );
  });
}

/**
 * A client brings other tools than before.
 * @throws RpcError as `checkTools`, and when the client is not attached.
 */
export function replaceTools(
  session: Session,
  link: ClientLink,
  tools: SettingsParams["tools"],
  builtIn: ReadonlySet<string>,
): void {
  const attachment = session.attachments.get(link);
  if (!attachment)
    throw new RpcError(
      "session_not_found",
      `session.tools.set: this client is not attached to ${session.id}; resume it first`,
      { sessionId: session.id },
    );
  checkTools("session.tools.set", session.settings, tools, builtIn);
  session.attachments.set(link, { ...attachment, tools: toTools(tools) });
  const { model } = session.settings;
  if (model !== undefined) session.emit("session.tools_updated", { model });
}

/** Which names in `availableTools` are of no tool that is there; others may bring them yet. */
export function unknownTools(
  session: Session,
  params: SettingsParams,
  builtIn: ReadonlySet<string>,
): readonly string[] {
  if (!Array.isArray(params.availableTools)) return [];
  return params.availableTools.filter(
    (pattern) => typeof pattern === "string" && !isKnown(session, pattern, builtIn),
  );
}

export function tellUnknownTools(session: Session, link: ClientLink, unknown: readonly string[]): void {
  const names = unknown.map((pattern) => JSON.stringify(pattern)).join(", ");
  session.emit(
    "session.info",
    { infoType: "configuration", message: `availableTools names tools that are not here: ${names}` },
    link,
  );
}

function isKnown(session: Session, pattern: string, builtIn: ReadonlySet<string>): boolean {
  if (pattern.endsWith("*") || pattern.startsWith("mcp:")) return true;
  const [, source, name = pattern] = /^(builtin|custom):(.*)$/.exec(pattern) ?? [];
  if (source !== "custom" && builtIn.has(name)) return true;
  if (source === "builtin") return false;
  for (const attachment of session.attachments.values()) if (attachment.tools.has(name)) return true;
  return false;
}
