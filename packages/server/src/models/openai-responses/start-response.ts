import { toJson } from "@rightseat/protocol";
import type { OpenAI } from "openai";
import { postBody } from "../post-body.ts";

/** Sends the body and gives the raw response. */
export function startResponse(
  client: OpenAI,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Response> {
  return postBody(client, "/responses", toJson(body), signal);
}
