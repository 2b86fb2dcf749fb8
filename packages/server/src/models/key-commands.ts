/**
 * Keys of providers that a command tells (`apiKeyCommand`). It runs as the server does, so the operator has to agree
 * to it; what it prints is the key, which is kept for a while.
 */
import { cutText, RpcError } from "@rightseat/protocol";
import { ModelError } from "./model-provider.ts";
import type { ProviderSource } from "./provider-source.ts";

export interface CommandEnd {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KeyCommandOptions {
  /** The operator lets clients name commands. */
  readonly isAllowed: boolean;
  /** For bash. Ends the command, and whatever it started, when the time is over. */
  readonly run: (command: string, timeoutMs: number) => Promise<CommandEnd>;
}

const TIMEOUT_MS = 30_000;
/** Calls within it go with the same key, unless a provider refused it. */
const KEPT_MS = 5 * 60_000;
const MAX_KEPT = 1000;
const MAX_KEY_CHARS = 16 * 1024;
const MAX_SHOWN_CHARS = 300;

export class KeyCommands {
  readonly #options: KeyCommandOptions;
  readonly #keys = new Map<string, { readonly at: number; readonly key: Promise<string> }>();

  constructor(options: KeyCommandOptions) {
    this.#options = options;
  }

  /** @throws RpcError `not_supported` unless the operator agreed; `invalid_params` for what is no command. */
  check(place: string, { apiKeyCommand }: ProviderSource): void {
    if (apiKeyCommand === undefined || apiKeyCommand === null) return;
    const path = `${place}.apiKeyCommand`;
    if (!this.#options.isAllowed)
      throw new RpcError(
        "not_supported",
        `'${path}' asks for a command that tells the key, and this server runs none for clients: set RIGHTSEAT_ALLOW_API_KEY_COMMANDS=true on the server to allow them, or give an apiKey`,
        { path },
      );
    if (typeof apiKeyCommand !== "string" || apiKeyCommand.trim() === "" || apiKeyCommand.includes("\0"))
      throw new RpcError(
        "invalid_params",
        `${path}: expected a command for bash, got ${JSON.stringify(apiKeyCommand)?.slice(0, MAX_SHOWN_CHARS)}`,
        { path },
      );
  }

  /** What a provider is called with, unless a token goes before it. @throws ModelError `authentication`. */
  async keyOf({ apiKeyCommand, apiKey }: ProviderSource): Promise<string | undefined> {
    return apiKeyCommand ? await this.#key(apiKeyCommand) : apiKey;
  }

  /** When several calls come at once, one runs the command. */
  #key(command: string): Promise<string> {
    const known = this.#keys.get(command);
    if (known && performance.now() - known.at < KEPT_MS) return known.key;
    const key = this.#ask(command);
    this.#keys.delete(command);
    this.#keys.set(command, { at: performance.now(), key });
    if (this.#keys.size > MAX_KEPT) this.#keys.delete(this.#keys.keys().next().value as string);
    key.catch(() => {
      if (this.#keys.get(command)?.key === key) this.#keys.delete(command);
    });
    return key;
  }

  /** The next call runs the command again. */
  forget(command: string): void {
    this.#keys.delete(command);
  }

  async #ask(command: string): Promise<string> {
    const end = await this.#options.run(command, TIMEOUT_MS).catch((cause: unknown) => {
      throw failed(`could not be run: ${(cause as Error).message}`, cause);
    });
    if (end.timedOut) throw failed(`was ended after ${TIMEOUT_MS / 1000} s`);
    if (end.exitCode !== 0) throw failed(`${endOf(end)}${said(end.stderr)}`);
    const key = end.stdout.trim();
    if (key === "") throw failed(`printed no key${said(end.stderr)}`);
    // What it printed is not repeated: it may be the key all the same.
    if (key.length > MAX_KEY_CHARS || /[^\t\x20-\x7e\x80-\xff]/.test(key))
      throw failed(
        `printed what is no key: expected one line of at most ${MAX_KEY_CHARS} characters that a header can carry`,
      );
    return key;
  }
}

function failed(what: string, cause?: unknown): ModelError {
  return new ModelError("authentication", `The provider's apiKeyCommand ${what}. No request was sent.`, {
    cause,
  });
}

function endOf({ exitCode }: CommandEnd): string {
  return exitCode === undefined ? "was ended by a signal" : `ended with exit code ${exitCode}`;
}

function said(stderr: string): string {
  const text = cutText(stderr.trim(), MAX_SHOWN_CHARS);
  return text === "" ? "" : `: ${text}`;
}
