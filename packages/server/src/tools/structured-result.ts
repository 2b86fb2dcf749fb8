/** A tool's result as clients write and read it (`ToolResultObject`). */
import type { ToolImage } from "../models/model-provider.ts";
import type { ToolResult } from "./tool.ts";

const RESULT_TYPES: ReadonlySet<string> = new Set(["success", "failure", "rejected", "denied", "timeout"]);

/** Anything a client may say: nothing, text, a `ToolResultObject`, or any other value, which is read as JSON. */
export function fromStructuredResult(result: unknown): ToolResult {
  if (result === undefined || result === null) return { resultType: "success", text: "" };
  if (typeof result === "string") return { resultType: "success", text: result };
  const structured = result as Record<string, unknown>;
  const text =
    typeof structured.textResultForLlm === "string" ? structured.textResultForLlm : JSON.stringify(result);
  const type =
    typeof structured.resultType === "string" && RESULT_TYPES.has(structured.resultType)
      ? structured.resultType
      : "success";
  const images = imagesOf(structured.binaryResultsForLlm);
  return {
    resultType: type as ToolResult["resultType"],
    text,
    ...(typeof structured.sessionLog === "string" ? { detailedText: structured.sessionLog } : {}),
    ...(type === "success" ? {} : { error: { message: text, code: type } }),
    ...(images ? { images } : {}),
    ...(structured.toolTelemetry && typeof structured.toolTelemetry === "object"
      ? { telemetry: structured.toolTelemetry as Record<string, unknown> }
      : {}),
    // A rejected result is final: the model is not asked what it makes of it.
    ...(type === "rejected" ? { endsTurn: true } : {}),
  };
}

export function toStructuredResult(result: ToolResult): Record<string, unknown> {
  const images = result.images?.map(({ mimeType, base64, description }) => ({
    type: "image",
    mimeType,
    data: base64,
    ...(description !== undefined ? { description } : {}),
  }));
  return {
    resultType: result.resultType,
    textResultForLlm: result.text,
    ...(result.detailedText !== undefined ? { sessionLog: result.detailedText } : {}),
    ...(result.error ? { error: result.error.message } : {}),
    ...(images ? { binaryResultsForLlm: images } : {}),
    ...(result.telemetry ? { toolTelemetry: result.telemetry } : {}),
  };
}

function imagesOf(results: unknown): ToolImage[] | undefined {
  if (!Array.isArray(results)) return undefined;
  const images = results
    .filter(
      (item) =>
        typeof item?.data === "string" &&
        typeof item.mimeType === "string" &&
        item.mimeType.startsWith("image/"),
    )
    .map((item) => ({
      mimeType: item.mimeType as string,
      base64: item.data as string,
      ...(typeof item.description === "string" ? { description: item.description } : {}),
    }));
  return images.length > 0 ? images : undefined;
}
