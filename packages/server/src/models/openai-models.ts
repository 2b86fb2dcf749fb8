import { ANSWER_CAPS } from "./answer-budget.ts";
import { ModelCall } from "./model-call.ts";
import type { ModelListing } from "./model-provider.ts";
import { type ClientSettings, createOpenAIClient, trimSlashes } from "./openai-client.ts";

/** The body of `GET /models` at OpenAI and its likes. */
interface ModelsBody {
  readonly data?: readonly { readonly id?: unknown; readonly [field: string]: unknown }[];
}

/** The models at `GET {baseUrl}/models`. @throws ModelError; the signal's reason once it aborts. */
export async function listOpenAIModels(
  settings: ClientSettings & { readonly idleTimeoutMs?: number },
  signal: AbortSignal,
): Promise<readonly ModelListing[]> {
  const body = await getJson(
    "openai",
    `${trimSlashes(settings.baseUrl)}/models`,
    settings,
    signal,
    async (call, callSignal) => {
      const client = await createOpenAIClient(settings, call);
      return client.models.list({ signal: callSignal }).asResponse();
    },
  );
  return ((body as ModelsBody).data ?? []).flatMap(({ id, ...rest }) =>
    typeof id === "string" ? [{ id, name: id, raw: { id, ...rest } }] : [],
  );
}

/** One GET with a call's timer, abort and errors. */
export async function getJson(
  provider: string,
  url: string,
  settings: { readonly idleTimeoutMs?: number },
  signal: AbortSignal,
  start: (call: ModelCall, signal: AbortSignal) => Promise<Response>,
): Promise<unknown> {
  const call = new ModelCall({ provider, url, signal, idleTimeoutMs: settings.idleTimeoutMs });
  let complete = false;
  try {
    await call.open((callSignal) => start(call, callSignal));
    const body = await call.readJson(ANSWER_CAPS.listBytes);
    complete = true;
    return body;
  } catch (thrown) {
    throw call.toError(thrown);
  } finally {
    call.close({ complete });
  }
}
