/**
 * A provider refused credentials that a client or a command gives when it is asked: a token that was taken back, or
 * ended before its time. It is asked once more, and the call is made again.
 */

import type { ActiveModel } from "../../../agent/run-host.ts";
import type { ModelError } from "../../../models/model-provider.ts";
import type { ProviderSource } from "../../../models/provider-source.ts";
import type { Waiter } from "../../members/client-waits.ts";
import type { Session } from "../../open/session.ts";
import { gitHubTokenLease } from "./github-token-lease.ts";

export interface RenewalServices {
  /** Asks for a GitHub token anew. @throws RpcError when no client gives one. */
  readonly renewGitHubToken: (session: Session) => Promise<void>;
  /** The next call asks the command again. */
  readonly forgetKeyOf: (apiKeyCommand: string) => void;
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
    if (!model.isByok) return gitHubTokenLease.of(this.#session) !== undefined;
    return providersOf(this.#session).some((one) => one.hasBearerTokenProvider || one.apiKeyCommand);
  }

  /** True when the call may be made again. */
  async try(model: ActiveModel): Promise<boolean> {
    this.#justRenewed = true;
    if (model.isByok) {
      for (const { apiKeyCommand } of providersOf(this.#session))
        if (apiKeyCommand) this.#services.forgetKeyOf(apiKeyCommand);
      // Clients are asked for providers' tokens before every call.
      return true;
    }
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

function providersOf({ settings }: Session): readonly ProviderSource[] {
  const { provider, providers = [] } = settings;
  return provider ? [provider, ...providers] : providers;
}
