import { toJson } from "@rightseat/protocol";
import type { OpenAI } from "openai";

/** Sends the body and gives the raw response. */
export function startResponse(
  client: OpenAI,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return client.post("/responses", { body: toJson(body), headers, signal }).asResponse();
}
