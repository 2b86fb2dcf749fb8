/** `session.ui`: asks the user of whichever client can show a form. */
import type {
  ElicitationParams,
  ElicitationResult,
  ElicitationSchemaField,
  SessionUiApi,
  UiInputOptions,
} from "../types/questions.ts";

/** @param elicit shows a form; throws where no client can. */
export function createUi(elicit: (params: ElicitationParams) => Promise<ElicitationResult>): SessionUiApi {
  /** The value of a form with one field, when it was filled in. */
  const ask = async (message: string, name: string, field: ElicitationSchemaField): Promise<unknown> => {
    const requestedSchema = { type: "object" as const, properties: { [name]: field }, required: [name] };
    const { action, content } = await elicit({ message, requestedSchema });
    return action === "accept" ? content?.[name] : undefined;
  };
  return {
    elicitation: elicit,
    confirm: async (message: string) =>
      (await ask(message, "confirmed", { type: "boolean", default: true })) === true,
    select: async (message: string, options: string[]) =>
      ((await ask(message, "selection", { type: "string", enum: options })) as string | undefined) ?? null,
    input: async (message: string, options: UiInputOptions = {}) =>
      ((await ask(message, "value", { type: "string", ...options })) as string | undefined) ?? null,
  };
}
