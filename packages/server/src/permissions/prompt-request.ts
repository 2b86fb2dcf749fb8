/** What people are shown of a question: the wire's shape for prompts, made from the one for requests. */
import type { PermissionPromptRequest } from "@rightseat/protocol";
import type { PermissionAsk } from "../tools/tool.ts";

/** Fields of each kind of prompt; requests have more. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  write: [
    "intention",
    "fileName",
    "resolvedPath",
    "diff",
    "newFileContents",
    "fileEdits",
    "canOfferSessionApproval",
    "managedApprovalRequired",
  ],
  read: ["intention", "path", "resolvedPath", "managedApprovalRequired"],
  mcp: ["serverName", "toolName", "toolTitle", "args", "permissionRecommendation"],
  url: ["intention", "url", "redirectedFrom", "managedApprovalRequired"],
  memory: ["action", "subject", "fact", "citations", "direction", "reason"],
  "custom-tool": ["toolName", "toolDescription", "args"],
  hook: ["toolName", "toolArgs", "hookMessage"],
};

/** @param outside the paths that are asked about for themselves, as they were named; usually none. */
export function promptRequestOf(ask: PermissionAsk, outside: readonly string[]): PermissionPromptRequest {
  const call = typeof ask.toolCallId === "string" ? { toolCallId: ask.toolCallId } : {};
  if (outside.length > 0) {
    const accessKind = ask.kind as "read" | "write" | "shell";
    return { kind: "path", ...call, accessKind, paths: [...outside] };
  }
  if (ask.kind === "shell") {
    const commands = ask.commands as readonly { identifier: string }[];
    return {
      kind: "commands",
      ...call,
      fullCommandText: String(ask.fullCommandText),
      intention: String(ask.intention),
      commandIdentifiers: commands.map((command) => command.identifier),
      canOfferSessionApproval: ask.canOfferSessionApproval === true,
      ...(typeof ask.warning === "string" ? { warning: ask.warning } : {}),
      ...(ask.managedApprovalRequired === true ? { managedApprovalRequired: true } : {}),
    };
  }
  const fields = FIELDS[ask.kind] ?? Object.keys(ask).filter((name) => name !== "kind");
  const shown = fields.filter((name) => ask[name] !== undefined).map((name) => [name, ask[name]]);
  return { kind: ask.kind, ...call, ...Object.fromEntries(shown) } as unknown as PermissionPromptRequest;
}
