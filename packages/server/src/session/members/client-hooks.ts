/** The hooks that one client declared for one session: each is a request to it. */
import type { HookInput, HookSource, HookType } from "../../hooks/hook-source.ts";
import type { ClientLink } from "./client-link.ts";

export class ClientHooks implements HookSource {
  readonly name: string;
  readonly isClient = true;
  start?: "new" | "resume" | undefined;
  readonly #link: ClientLink;
  readonly #sessionId: string;
  readonly #pending = new Set<AbortController>();

  constructor(link: ClientLink, sessionId: string, start: "new" | "resume") {
    this.name = `client ${link.id}`;
    this.start = start;
    this.#link = link;
    this.#sessionId = sessionId;
  }

  wants(type: HookType): boolean {
    return type !== "sessionStart" || this.start !== undefined;
  }

  async invoke(hookType: HookType, input: HookInput, signal: AbortSignal): Promise<unknown> {
    const ended = new AbortController();
    const onAbort = () => ended.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#pending.add(ended);
    try {
      const params = { sessionId: this.#sessionId, hookType, input };
      const answer = await this.#link.request("hooks.invoke", params, ended.signal);
      return (answer as { output?: unknown } | null | undefined)?.output;
    } finally {
      this.#pending.delete(ended);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The client goes from the session: what it was asked is not waited for any longer. */
  leave(): void {
    for (const ended of this.#pending) ended.abort(new Error("the client left before it answered"));
  }
}
