/** A model that cannot be told now, where that is no error. */
import { AccountError } from "../accounts/github-accounts.ts";
import { ModelError } from "../models/model-provider.ts";

/** Undefined while a provider or GitHub cannot tell which model the session has. @throws every other error again. */
export function untold(error: unknown): undefined {
  if (error instanceof ModelError || error instanceof AccountError) return undefined;
  throw error;
}
