/** Tools on their way to the server: how they are defined, and how they are told. */
import type { ToolDefinition } from "@rightseat/protocol";
import type { AnySchema } from "../types/schemas.ts";
import type { Tool, ToolBinaryResult, ToolHandler, ToolResultObject } from "../types/tools.ts";
import { checkValue, isStandard, toJsonSchema } from "./schemas.ts";

/** Defines a tool whose handler's arguments have the type of its schema. */
export function defineTool<T = unknown>(
  name: string,
  config: Omit<Tool<T>, "name" | "parameters"> & {
    parameters?: AnySchema<T>;
  },
): Tool<T> {
  return { name, ...config };
}

/** The declaration of a tool as it is sent. @throws Error when its schema cannot be said as JSON Schema. */
export async function toToolDefinition(tool: Tool): Promise<ToolDefinition> {
  const { name, description, overridesBuiltInTool, skipPermission, defer, metadata, isTerminal } = tool;
  const parameters = tool.parameters && (await toJsonSchema(tool.parameters, `tool ${name}`));
  return { name, description, parameters, overridesBuiltInTool, skipPermission, defer, metadata, isTerminal };
}

/** Carries a call out with arguments that its schema has checked. */
export function checkedHandler({ name, parameters, handler }: Tool): ToolHandler | undefined {
  if (!handler || !isStandard(parameters)) return handler;
  return async (args, invocation) =>
    handler(await checkValue(parameters, args, `the arguments of the tool ${name} are`), invocation);
}

type McpContent =
  | { type: "text"; text: string }
  | { type: "image"; data: string; mimeType: string }
  | { type: "resource"; resource: { uri: string; mimeType?: string; text?: string; blob?: string } };

/** Turns what an MCP tool returned into a result of ours. Parts of other kinds are left out. */
export function convertMcpCallToolResult(callResult: {
  content: McpContent[];
  isError?: boolean;
}): ToolResultObject {
  const texts: string[] = [];
  const binaries: ToolBinaryResult[] = [];
  for (const part of callResult.content) {
    if (part.type === "text" && typeof part.text === "string") texts.push(part.text);
    if (part.type === "image" && part.data && typeof part.mimeType === "string")
      binaries.push({ data: part.data, mimeType: part.mimeType, type: "image" });
    if (part.type === "resource") {
      const { uri, mimeType, text, blob } = part.resource ?? {};
      if (text) texts.push(text);
      if (blob)
        binaries.push({
          data: blob,
          mimeType: mimeType || "application/octet-stream",
          type: "resource",
          description: uri,
        });
    }
  }
  return {
    textResultForLlm: texts.join("\n"),
    resultType: callResult.isError ? "failure" : "success",
    ...(binaries.length > 0 ? { binaryResultsForLlm: binaries } : {}),
  };
}
