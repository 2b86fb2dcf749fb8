/** Tools on their way to the server: how they are defined, and how they are told. */
import type { ToolDefinition } from "@rightseat/protocol";
import type { Tool, ToolBinaryResult, ToolResultObject, ZodSchema, ZodV3Schema } from "../types/tools.ts";

/** Defines a tool whose handler's arguments have the type of its schema. */
export function defineTool<T = unknown>(
  name: string,
  config: Omit<Tool<T>, "name" | "parameters"> & {
    parameters?: ZodSchema<T> | ZodV3Schema<T> | Record<string, unknown>;
  },
): Tool<T> {
  return { name, ...config };
}

/** The declaration of a tool as it is sent. @throws Error when its schema cannot be said as JSON Schema. */
export async function toToolDefinition(tool: Tool): Promise<ToolDefinition> {
  const { name, description, overridesBuiltInTool, skipPermission, defer, metadata, isTerminal } = tool;
  const parameters = await toJsonSchema(tool);
  return { name, description, parameters, overridesBuiltInTool, skipPermission, defer, metadata, isTerminal };
}

async function toJsonSchema({ name, parameters }: Tool): Promise<Record<string, unknown> | undefined> {
  if (!parameters) return undefined;
  if ("toJSONSchema" in parameters && typeof parameters.toJSONSchema === "function")
    return parameters.toJSONSchema() as Record<string, unknown>;
  const { _def } = parameters as { _def?: { typeName?: unknown } };
  if (typeof _def?.typeName === "string") {
    const { zodV3ToJsonSchema } = await import("./zod-v3.ts");
    return zodV3ToJsonSchema(parameters, `tool ${name}`);
  }
  // Schemas of other libraries (and of Zod Mini) have no method of their own to say themselves.
  if ("_zod" in parameters || "~standard" in parameters) {
    throw new Error(
      `tool ${name}: expected JSON Schema or a schema with a method toJSONSchema(); pass z.toJSONSchema(schema), or what your library has for it`,
    );
  }
  return parameters as Record<string, unknown>;
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
