import { ANSWER_CAPS } from "./answer-budget.ts";
import { ModelCall } from "./model-call.ts";
import { ModelError, type ModelListing } from "./model-provider.ts";
import { type ClientSettings, createOpenAIClient, trimSlashes } from "./openai-client.ts";

/** How long a provider may take to list its models: people and first prompts wait for it. */
const LIST_TIMEOUT_MS = 15_000;

/** The body of `GET /models` at OpenAI and its likes. */
interface ModelsBody {
  readonly data?: readonly { readonly id?: unknown; readonly [field: string]: unknown }[];
}

/** The models at `GET {baseUrl}/models`. @throws ModelError; the signal's reason once it aborts. */
export async function listOpenAIModels(
  settings: ClientSettings & ListTimeouts,
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

export interface ListTimeouts {
  readonly idleTimeoutMs?: number;
  /** For the whole of a list; default 15 s. */
  readonly listTimeoutMs?: number;
}

/** One GET with a call's timer, abort and errors, and an end whatever comes. */
export async function getJson(
  provider: string,
  url: string,
  { idleTimeoutMs, listTimeoutMs = LIST_TIMEOUT_MS }: ListTimeouts,
  signal: AbortSignal,
  start: (call: ModelCall, signal: AbortSignal) => Promise<Response>,
): Promise<unknown> {
  const deadline = new AbortController();
  const timer = setTimeout(
    () =>
      deadline.abort(
        new ModelError("timeout", `${provider} did not list its models within ${listTimeoutMs / 1000} s`),
      ),
    listTimeoutMs,
  );
  const call = new ModelCall({
    provider,
    url,
    signal: AbortSignal.any([signal, deadline.signal]),
    idleTimeoutMs,
  });
  let complete = false;
  try {
    await call.open((callSignal) => start(call, callSignal));
    const body = await call.readJson(ANSWER_CAPS.listBytes);
    complete = true;
    return body;
  } catch (thrown) {
    throw call.toError(thrown);
  } finally {
    clearTimeout(timer);
    call.close({ complete });
  }
}
