/** Prompts as they are sent, and answers of a form that was asked for. */
import { randomUUID } from "node:crypto";
import type { CallOptions } from "../call-options.ts";
import { checkValue, isStandard, toJsonSchema } from "../config/schemas.ts";
import { toError } from "../errors.ts";
import type { AssistantMessageEvent, MessageOptions } from "../types/messages.ts";
import type { ResponseSchema, StandardSchema } from "../types/schemas.ts";

/** A schema whose values have a type. */
export type TypedSchema = ResponseSchema | StandardSchema;

type Message = Readonly<Record<string, unknown>> & { readonly messageId: string };

const LIMITS: ReadonlySet<string> = new Set(["timeoutMs", "signal"] satisfies (keyof CallOptions)[]);

/** At once, so that prompts go out in the order in which they are given; a promise while a converter is loaded. */
export function toMessage(prompt: string | MessageOptions): Message | Promise<Message> {
  const options = typeof prompt === "string" ? { prompt } : prompt;
  const { prompt: text, source, displayPrompt, attachments, mode, agentMode, requestHeaders } = options;
  const message = {
    prompt: text,
    source,
    displayPrompt,
    attachments,
    mode,
    agentMode,
    requestHeaders,
    messageId: options.messageId ?? randomUUID(),
  };
  if (!options.responseSchema) return message;
  const schema = toJsonSchema(options.responseSchema, "responseSchema");
  const withSchema = (json: Record<string, unknown>) => ({
    ...message,
    responseFormat: { type: "json_schema", jsonSchema: { name: "response", strict: true, schema: json } },
  });
  return schema instanceof Promise ? schema.then(withSchema) : withSchema(schema);
}

/**
 * The second argument of `sendAndWait`, if it is a schema.
 * @throws TypeError for what is neither a schema nor a limit
 */
export function typedSchemaOf(
  given: number | CallOptions | TypedSchema | undefined,
): TypedSchema | undefined {
  if (given === undefined || typeof given === "number" || given === null) return undefined;
  const { toJSONSchema, parse } = given as Partial<ResponseSchema>;
  if (isStandard(given) || (typeof toJSONSchema === "function" && typeof parse === "function"))
    return given as TypedSchema;
  if (Object.keys(given).every((name) => LIMITS.has(name))) return undefined;
  throw new TypeError(
    "expected milliseconds, { timeoutMs, signal } or a schema that can be told as JSON Schema and checks values; JSON Schema itself belongs into the prompt's responseSchema",
  );
}

/** @throws Error for a prompt that cannot have an answer of a form. */
export function withTypedSchema(prompt: string | MessageOptions, schema: TypedSchema): MessageOptions {
  const options = typeof prompt === "string" ? { prompt } : prompt;
  if (options.responseSchema)
    throw new Error("responseSchema is given twice: in the prompt's options, and as the second argument");
  if (options.mode === "immediate")
    throw new Error("an answer of a schema's form cannot be had for a message into what is under way");
  return { ...options, responseSchema: schema };
}

/** @throws Error for an answer that is none, is no JSON, or does not fit. */
export async function parseAnswer(
  schema: TypedSchema,
  answer: AssistantMessageEvent | undefined,
): Promise<unknown> {
  if (!answer || (answer.data.toolRequests?.length ?? 0) > 0)
    throw new Error("the run ended without an answer of the schema's form");
  const value = parseJson(answer.data.content);
  if ("parse" in schema && typeof schema.parse === "function") return schema.parse(value);
  return checkValue(schema as StandardSchema, value, "the answer is");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the answer is no JSON: ${toError(error).message}`, { cause: error });
  }
}
