/**
 * A provider refused credentials that a client gives when it is asked: a token that was taken back, or ended
 * before its time. The client is asked once more, and the call is made again.
 */
import type { ActiveModel } from "../../agent/run-host.ts";
import type { ModelError } from "../../models/model-provider.ts";
import type { Waiter } from "../clients/client-waits.ts";
import type { Session } from "../session.ts";

export interface RenewalServices {
  /** Asks for a GitHub token anew. @throws RpcError when no client gives one. */
  readonly renewGitHubToken: (session: Session) => Promise<void>;
}

/** For one run: asks again after each call that went well, never twice in a row. */
export class CredentialRenewal {
  readonly #services: RenewalServices;
  readonly #session: Session;
  readonly #waiter: Waiter;
  #justRenewed = false;

  /** @param waiter what goes on with the new credentials. */
  constructor(services: RenewalServices, session: Session, waiter: Waiter) {
    this.#services = services;
    this.#session = session;
    this.#waiter = waiter;
  }

  canTry(model: ActiveModel | undefined, error: ModelError): boolean {
    if (error.status !== 401 || model === undefined || this.#justRenewed) return false;
    return model.isByok ? givesProviderTokens(this.#session) : this.#session.gitHubTokenLease !== undefined;
  }

  /** True when the call may be made again. */
  async try(model: ActiveModel): Promise<boolean> {
    this.#justRenewed = true;
    // Providers' tokens are asked for before every call.
    if (model.isByok) return true;
    const renewed = this.#services.renewGitHubToken(this.#session).then(
      () => true,
      () => false,
    );
    return this.#session.waits.during(this.#waiter, () => renewed);
  }

  callWentWell(): void {
    this.#justRenewed = false;
  }
}

function givesProviderTokens({ settings }: Session): boolean {
  const { provider, providers = [] } = settings;
  return [provider, ...providers].some((one) => one?.hasBearerTokenProvider === true);
}
