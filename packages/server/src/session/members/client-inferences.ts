/** Which connected clients carry model traffic themselves, and the way through each of them. */
import { type ClientInference, createClientInference } from "../../models/client-fetch.ts";
import type { ClientLink } from "./client-link.ts";

export type { ClientInference };

export class ClientInferences {
  readonly #byLink = new Map<ClientLink, ClientInference>();

  register(link: ClientLink): void {
    if (this.#byLink.has(link)) return;
    this.#byLink.set(
      link,
      createClientInference({ request: (method, params, signal) => link.request(method, params, signal) }),
    );
  }

  of(link: ClientLink): ClientInference | undefined {
    return this.#byLink.get(link);
  }

  /** The client went: what it was carrying fails. */
  drop(link: ClientLink, error: Error): void {
    this.#byLink.get(link)?.close(error);
    this.#byLink.delete(link);
  }
}
