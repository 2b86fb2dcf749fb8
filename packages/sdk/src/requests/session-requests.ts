/** What the server asks a session's application directly, and the answers. */
import type { PublishedMethods, RuntimeClientMethods } from "@rightseat/protocol";
import { RpcError } from "@rightseat/protocol";
import { type Canvas, CanvasError } from "../canvas.ts";
import type { PreparedConfig } from "../config/session-params.ts";
import { toError } from "../errors.ts";
import type { SessionFsHandler } from "../session-fs.ts";
import type { SessionFields } from "../types/session-config.ts";
import { invokeHook } from "./hooks.ts";

/** The parts of a session that its requests need. */
export interface RequestContext {
  readonly sessionId: string;
  readonly config: SessionFields;
  readonly prepared: PreparedConfig;
  readonly files: SessionFsHandler | undefined;
  /** Tells the application what the server is not told. */
  readonly warn: (what: string, error: unknown) => void;
}

type Params<M extends keyof RuntimeClientMethods> = RuntimeClientMethods[M]["params"];
type Answer = (context: RequestContext, params: never) => unknown;

/** @throws RpcError for what this application does not do; whatever its own code throws. */
export function answerSessionRequest(context: RequestContext, method: string, params: unknown): unknown {
  if (method.startsWith("sessionFs.")) return answerFileRequest(context, method, params);
  const answer = Object.hasOwn(ANSWERS, method) ? ANSWERS[method] : undefined;
  if (!answer) throw new RpcError("method_not_found", `Unhandled method ${method}`, { method });
  return answer(context, params as never);
}

/** The errors of a canvas are known by a word, which goes along. */
async function asCanvasError<T>(work: () => T): Promise<Awaited<T>> {
  try {
    return await work();
  } catch (error) {
    const { message } = toError(error);
    const code = error instanceof CanvasError ? error.code : "canvas_handler_error";
    throw new RpcError("internal_error", message, { code, message }, { cause: error });
  }
}

const ANSWERS: Record<string, Answer> = {
  "userInput.request": async ({ config, sessionId }, params: Params<"userInput.request">) => {
    const { question, choices, allowFreeform } = params;
    if (!config.onUserInputRequest) throw new Error("User input requested but no handler registered");
    return config.onUserInputRequest({ question, choices, allowFreeform }, { sessionId });
  },
  "exitPlanMode.request": async ({ config, sessionId }, params: Params<"exitPlanMode.request">) => {
    const { summary, planContent, actions, recommendedAction } = params;
    if (!config.onExitPlanModeRequest) return { approved: true };
    return config.onExitPlanModeRequest({ summary, planContent, actions, recommendedAction }, { sessionId });
  },
  "autoModeSwitch.request": async ({ config, sessionId }, params: Params<"autoModeSwitch.request">) => {
    const { errorCode, retryAfterSeconds } = params;
    const handler = config.onAutoModeSwitchRequest;
    return { response: handler ? await handler({ errorCode, retryAfterSeconds }, { sessionId }) : "no" };
  },
  "systemMessage.transform": async ({ prepared, warn }, { sections }: Params<"systemMessage.transform">) => {
    const entries = Object.entries(sections).map(async ([name, { content }]) => {
      const transform = prepared.transforms?.get(name);
      const transformed = transform
        ? await Promise.resolve(content)
            .then(transform)
            .catch((error: unknown) => {
              warn(`the transform of the section ${name} failed; the section was left as it is`, error);
              return content;
            })
        : content;
      return [name, { content: transformed }] as const;
    });
    return { sections: Object.fromEntries(await Promise.all(entries)) };
  },
  "providerToken.getToken": async ({ prepared, sessionId }, { providerName }: { providerName: string }) => {
    const provider = prepared.tokenProviders?.get(providerName);
    if (!provider) throw new Error(`No bearer-token provider registered for provider "${providerName}"`);
    return { token: await provider({ providerName, sessionId }) };
  },
  "canvas.open": async ({ config }, params: CanvasRequest<"canvas.open">) => {
    const canvas = canvasOf(config, params);
    return (await asCanvasError(() => canvas.open(params))) ?? {};
  },
  "canvas.close": async ({ config }, params: CanvasRequest<"canvas.close">) => {
    const canvas = canvasOf(config, params);
    await asCanvasError(() => canvas.onClose?.(params));
    return null;
  },
  "canvas.action.invoke": async ({ config }, params: CanvasRequest<"canvas.action.invoke">) => {
    const canvas = canvasOf(config, params);
    return asCanvasError(() => canvas.invoke(params));
  },
  "hooks.invoke": async (context, params: { hookType: string; input: unknown }) => ({
    output: await invokeHook(context.config.hooks, params.hookType, params.input, context),
  }),
};

type CanvasRequest<M extends "canvas.open" | "canvas.close" | "canvas.action.invoke"> =
  PublishedMethods[M]["params"];

function canvasOf({ canvases }: SessionFields, { canvasId }: { canvasId: string }): Canvas {
  const canvas = canvases?.find(({ declaration }) => declaration.id === canvasId);
  if (!canvas) throw new Error(`No canvas registered with id "${canvasId}"`);
  return canvas;
}

function answerFileRequest({ files, sessionId }: RequestContext, method: string, params: unknown): unknown {
  const name = method.slice("sessionFs.".length);
  const handler = files && Object.hasOwn(files, name) ? files[name as keyof SessionFsHandler] : undefined;
  if (!handler) throw new Error(`No sessionFs handler registered for session: ${sessionId}`);
  return handler(params as never);
}
