/** Which connected clients carry model traffic themselves, and the way through each of them. */
import { ConnectionClosedError } from "@rightseat/protocol";
import type { ClientInference } from "../../models/client-fetch.ts";
import type { ClientLink } from "./client-link.ts";

export type { ClientInference };

export class ClientInferences {
  readonly #byLink = new Map<ClientLink, ClientInference>();
  readonly #gone = new WeakSet<ClientLink>();

  /** The code that carries calls is loaded with the first client that does; a client that went meanwhile carries none. */
  async register(link: ClientLink): Promise<void> {
    const { createClientInference } = await import("../../models/client-fetch.ts");
    if (this.#byLink.has(link) || this.#gone.has(link)) return;
    this.#byLink.set(
      link,
      createClientInference({ request: (method, params, signal) => link.request(method, params, signal) }),
    );
  }

  of(link: ClientLink): ClientInference | undefined {
    return this.#byLink.get(link);
  }

  /** The client went: what it was carrying fails. */
  drop(link: ClientLink): void {
    this.#gone.add(link);
    const inference = this.#byLink.get(link);
    if (!inference) return;
    this.#byLink.delete(link);
    inference.close(new ConnectionClosedError("the client that carried this request has gone"));
  }
}
