import type { OpenAI } from "openai";
import type { ResponseCreateParams } from "openai/resources/responses/responses";

/** Sends the body and gives the raw response. */
export function startResponse(
  client: OpenAI,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Response> {
  return client.responses.create(body as unknown as ResponseCreateParams, { signal }).asResponse();
}
