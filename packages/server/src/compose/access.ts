/** The gate, whose rules may change while the server runs. */
import { type AccessConfig, isShared } from "../auth/access-config.ts";
import { Gate } from "../auth/gate.ts";
import type { Network } from "./network.ts";
import type { ServerContext } from "./server-context.ts";

export interface Access {
  readonly gate: Gate;
  /** Whether the server has several tenants now. */
  isShared(): boolean;
  reload(changed: AccessConfig): void;
}

export function createAccess({ config, pace, seldomLines }: ServerContext, { serverFetch }: Network): Access {
  let { access } = config;
  const gate = new Gate({
    sharedSecret: config.connectionToken,
    access,
    fetch: serverFetch,
    onWarning: (message, fields) => seldomLines.write(message, fields),
    attemptDelays: pace.attemptDelays,
  });
  return {
    gate,
    isShared: () => isShared(access, config.connectionToken),
    reload: (changed) => {
      access = changed;
      gate.reload(changed);
    },
  };
}
