/** Providers and models that a session gets while it is open. */
import { RpcError } from "@rightseat/protocol";
import { tidyProvider } from "../models/provider-address.ts";
import type { ProviderModelSource, ProviderSource } from "../models/provider-source.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import { patched } from "../session/members/said-settings.ts";
import type { SessionSettings } from "../session/members/session-settings.ts";
import { applyChecked, applyModel } from "../session/open/change-session.ts";
import type { Session } from "../session/open/session.ts";
import type { JoinServices } from "./join-session.ts";

export interface Additions {
  readonly providers?: readonly ProviderSource[];
  readonly models?: readonly ProviderModelSource[];
}

/** All of them or none. @throws RpcError `invalid_params` for a name that is taken or unknown. */
export async function addProviders(
  services: Pick<JoinServices, "checkSettings">,
  session: Session,
  link: ClientLink,
  additions: Additions,
): Promise<void> {
  await applyChecked(
    session,
    (settings) => services.checkSettings(patched(settings, withAdditions(settings, additions))),
    () => session.say(withAdditions(session.settings, additions), link),
  );
}

export interface ProvidersChange {
  /** Ids of the models that are there now, as `provider/id`. */
  readonly selectionIds: readonly string[];
  /** The session's model was one that went: the default takes its place. */
  readonly modelDeselected?: true;
}

type Registry = Required<Additions>;
type Services = Pick<JoinServices, "checkSettings" | "defaultModel">;

/** Puts these in place of all that the session has. @throws RpcError `invalid_params`; nothing has changed then. */
export async function syncProviders(
  services: Services,
  session: Session,
  link: ClientLink,
  { providers = [], models = [] }: Additions,
): Promise<ProvidersChange> {
  assertNew("providers", [], providers, ({ name }) => String(name));
  assertNew("models", [], models, idOf);
  return replaceRegistry(services, session, link, () => ({ providers, models }));
}

export interface Withdrawn extends Omit<ProvidersChange, "selectionIds"> {
  readonly withdrawn: readonly string[];
  readonly providersRemoved: readonly string[];
}

/** Takes models away, and providers that have none left by it. Ids that are not known count for nothing. */
export async function withdrawModels(
  services: Services,
  session: Session,
  link: ClientLink,
  ids: readonly string[],
): Promise<Withdrawn> {
  let removed: Registry = { providers: [], models: [] };
  const { modelDeselected } = await replaceRegistry(services, session, link, (settings) => {
    const { providers = [], models = [] } = settings;
    const gone = models.filter((model) => ids.includes(idOf(model)));
    const kept = models.filter((model) => !gone.includes(model));
    const uses = (list: typeof models, name: string | undefined) =>
      list.some(({ provider }) => provider === name);
    const unused = providers.filter(({ name }) => uses(gone, name) && !uses(kept, name));
    removed = { providers: unused, models: gone };
    return { providers: providers.filter((provider) => !unused.includes(provider)), models: kept };
  });
  return {
    withdrawn: removed.models.map(idOf),
    providersRemoved: removed.providers.map(({ name }) => String(name)),
    ...(modelDeselected ? { modelDeselected } : {}),
  };
}

async function replaceRegistry(
  services: Services,
  session: Session,
  link: ClientLink,
  change: (settings: Readonly<SessionSettings>) => Registry,
): Promise<ProvidersChange> {
  let registry: Registry = { providers: [], models: [] };
  let model: string | undefined;
  let modelDeselected = false;
  await applyChecked(
    session,
    (settings) => {
      refuseSingleProvider(settings);
      registry = change(settings);
      const known = registry.models.map(idOf);
      modelDeselected = (settings.models ?? [])
        .map(idOf)
        .some((id) => id === settings.model && !known.includes(id));
      const next = patched(settings, registry);
      if (!modelDeselected) return services.checkSettings(next);
      model = services.defaultModel({ ...next, model: undefined });
      return services.checkSettings({ ...next, model });
    },
    () => {
      session.say(registry, link);
      if (!modelDeselected) return;
      if (model !== undefined) applyModel(session, { modelId: model, cause: "automatic" });
      else session.say({ model: null });
    },
  );
  return {
    selectionIds: registry.models.map(idOf),
    ...(modelDeselected ? { modelDeselected } : {}),
  };
}

function idOf({ provider, id }: ProviderModelSource): string {
  return `${provider}/${id}`;
}

/** @throws RpcError `invalid_params` for a session that was made with one provider for all. */
function refuseSingleProvider(settings: Readonly<SessionSettings>): void {
  if (!settings.provider) return;
  throw new RpcError(
    "invalid_params",
    "providers: the session has a single provider of its own; make it with 'providers' and 'models' to add more",
    { path: "providers" },
  );
}

/** The providers and models of the session with the added ones. @throws RpcError `invalid_params`. */
function withAdditions(settings: Readonly<SessionSettings>, { providers = [], models = [] }: Additions) {
  refuseSingleProvider(settings);
  assertNew("providers", settings.providers, providers, ({ name }) => String(name));
  assertNew("models", settings.models, models, idOf);
  return {
    providers: [...(settings.providers ?? []), ...providers.map(tidyProvider)],
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
