/** Providers and models that a session gets while it is open. */
import { RpcError } from "@rightseat/protocol";
import type { ProviderModelSource, ProviderSource } from "../../models/provider-source.ts";
import type { JoinServices } from "../join-session.ts";
import type { Session } from "../session.ts";

export interface Additions {
  readonly providers?: readonly ProviderSource[];
  readonly models?: readonly ProviderModelSource[];
}

/** All of them or none. @throws RpcError `invalid_params` for a name that is taken or unknown. */
export async function addProviders(
  services: Pick<JoinServices, "checkSettings">,
  session: Session,
  { providers = [], models = [] }: Additions,
): Promise<void> {
  const { settings } = session;
  if (settings.provider) {
    throw new RpcError(
      "invalid_params",
      "providers: the session has a single provider of its own; make it with 'providers' and 'models' to add more",
      { path: "providers" },
    );
  }
  assertNew("providers", settings.providers, providers, ({ name }) => String(name));
  assertNew("models", settings.models, models, ({ provider, id }) => `${provider}/${id}`);
  const added = {
    providers: [...(settings.providers ?? []), ...providers],
    models: [...(settings.models ?? []), ...models],
  };
  await services.checkSettings({ ...added });
  if (session.settings.providers !== settings.providers || session.settings.models !== settings.models)
    return addProviders(services, session, { providers, models });
  session.settings = { ...session.settings, ...added };
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
