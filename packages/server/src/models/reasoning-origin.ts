import type { ModelReasoning } from "./model-provider.ts";

/** The origin of reasoning: signatures and encrypted content are good for one model of one provider. */
export function toOrigin(provider: string, url: string, model: string): string {
  const host = URL.canParse(url) ? new URL(url).host : "";
  return `${provider}:${host}/${model}`;
}

/** The reasoning that may go to `origin`: its own, and what nobody has marked. */
export function reasoningFor(
  origin: string,
  reasoning: ModelReasoning | undefined,
): ModelReasoning | undefined {
  return reasoning?.origin === undefined || reasoning.origin === origin ? reasoning : undefined;
}
