/** Providers and models that a session gets while it is open. */
import { RpcError } from "@rightseat/protocol";
import type { ProviderModelSource, ProviderSource } from "../../models/provider-source.ts";
import type { JoinServices } from "../join-session.ts";
import type { Session } from "../session.ts";
import { applyChecked } from "./change-session.ts";
import type { SessionSettings } from "./session-settings.ts";

export interface Additions {
  readonly providers?: readonly ProviderSource[];
  readonly models?: readonly ProviderModelSource[];
}

/** All of them or none. @throws RpcError `invalid_params` for a name that is taken or unknown. */
export async function addProviders(
  services: Pick<JoinServices, "checkSettings">,
  session: Session,
  additions: Additions,
): Promise<void> {
  await applyChecked(
    session,
    (settings) => services.checkSettings(withAdditions(settings, additions)),
    () => session.changeSettings((settings) => ({ ...settings, ...withAdditions(settings, additions) })),
  );
}

/** The providers and models of the session with the added ones. @throws RpcError `invalid_params`. */
function withAdditions(settings: Readonly<SessionSettings>, { providers = [], models = [] }: Additions) {
  if (settings.provider) {
    throw new RpcError(
      "invalid_params",
      "providers: the session has a single provider of its own; make it with 'providers' and 'models' to add more",
      { path: "providers" },
    );
  }
  assertNew("providers", settings.providers, providers, ({ name }) => String(name));
  assertNew("models", settings.models, models, ({ provider, id }) => `${provider}/${id}`);
  return {
    providers: [...(settings.providers ?? []), ...providers],
    models: [...(settings.models ?? []), ...models],
  };
}

function assertNew<T>(
  path: string,
  known: readonly T[] | undefined,
  added: readonly T[],
  nameOf: (item: T) => string,
): void {
  const names = new Set((known ?? []).map(nameOf));
  for (const name of added.map(nameOf)) {
    if (names.has(name))
      throw new RpcError("invalid_params", `${path}: expected names that are new, got '${name}' again`, {
        path,
      });
    names.add(name);
  }
}
