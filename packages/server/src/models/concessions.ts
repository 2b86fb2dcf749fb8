/**
 * What is sent otherwise because a provider refused it: a field that it does not know, a spelling that it
 * does not take. A refusal names the part; the request is made again without it, and when the provider
 * takes that, later requests are made so from the first.
 */
import { createHash } from "node:crypto";
import { cutText } from "@rightseat/protocol";
import { isShared } from "./guarded-fetch.ts";
import { ModelError, type ProviderSettings } from "./model-provider.ts";
import { isOfMessage, type Refusal } from "./named-field.ts";

/** One part of a wire's requests that some provider refuses. */
export interface Concession<T> {
  /** The part, as people read it. */
  readonly field: string;
  readonly isNamed: (refusal: Refusal) => boolean;
  /** What is sent instead; undefined when the request has no such part. Absent where nothing may be. */
  readonly change?: (parts: T, value: number) => T | undefined;
  /** The application asked for this part, and gets it or an error: whether the request has it. */
  readonly isAskedFor?: (parts: T) => boolean;
  /** A number that the change needs of the refusal; undefined when it tells none that would do. */
  readonly valueIn?: (refusal: Refusal, parts: T) => number | undefined;
  /** What is done, for the warning; default is that the field is left out. */
  readonly told?: string;
  /** Messages may have the part, too. */
  readonly isInMessages?: true;
}

/** The concessions of one wire. */
export interface ConcessionTable<T> {
  readonly wire: string;
  /** The first of two for one field is tried first. */
  readonly rows: readonly Concession<T>[];
}

interface Made<T> {
  readonly concession: Concession<T>;
  readonly value: number;
}

const MOST_MODELS = 64;
const MOST_PROVIDERS = 256;
const MOST_SAID = 300;

const learned = new WeakMap<object, Concessions>();
/** By a digest of the settings; the one used longest ago first. */
const shared = new Map<string, Concessions>();

/**
 * What was learned of a provider before: a session that sleeps makes its provider anew when it wakes. Whoever
 * brings equal settings speaks to the same server with the same key, unless a client's own `fetch` or tokens
 * lead elsewhere.
 */
export function concessionsOf({ source, fetch }: Pick<ProviderSettings, "source" | "fetch">): Concessions {
  if (source === undefined) return new Concessions();
  if ((!fetch || isShared(fetch)) && !source.hasBearerTokenProvider) return sharedConcessions(source);
  const known = learned.get(source) ?? new Concessions();
  learned.set(source, known);
  return known;
}

function sharedConcessions(settings: object): Concessions {
  const digest = createHash("sha256").update(JSON.stringify(settings)).digest("base64");
  const concessions = shared.get(digest) ?? new Concessions();
  shared.delete(digest);
  shared.set(digest, concessions);
  if (shared.size > MOST_PROVIDERS) shared.delete(shared.keys().next().value as string);
  return concessions;
}

/**
 * What one provider is known to refuse, by model. Requests of others go out otherwise only after the provider has taken
 * one that did: until then it is known to the call that tries it alone.
 */
export class Concessions {
  /** Most providers refuse nothing. */
  #made: Map<string, readonly unknown[]> | undefined;
  /** What calls try now, by the signal that each of their tries has. */
  readonly #tried = new WeakMap<AbortSignal, readonly unknown[]>();

  /** For one request. @param call the same for each try of one call. */
  for<T>(table: ConcessionTable<T>, model: string, call: AbortSignal): ConcededRequest<T> {
    return new ConcededRequest(this, table, model, call);
  }

  triedBy<T>(call: AbortSignal): readonly Made<T>[] {
    return (this.#tried.get(call) as readonly Made<T>[] | undefined) ?? NOTHING;
  }

  tryOut<T>(call: AbortSignal, made: readonly Made<T>[]): void {
    if (made.length > 0) this.#tried.set(call, made);
    else this.#tried.delete(call);
  }

  of<T>({ wire }: ConcessionTable<T>, model: string): readonly Made<T>[] {
    return (this.#made?.get(`${wire}\n${model}`) as readonly Made<T>[] | undefined) ?? NOTHING;
  }

  keep<T>({ wire }: ConcessionTable<T>, model: string, made: readonly Made<T>[]): void {
    this.#made ??= new Map();
    const key = `${wire}\n${model}`;
    this.#made.delete(key);
    if (made.length > 0) this.#made.set(key, made);
    if (this.#made.size > MOST_MODELS) this.#made.delete(this.#made.keys().next().value as string);
  }
}

const NOTHING: readonly never[] = [];

/** What a call tells of how its request fared. */
export interface Conceded {
  /** The provider took the request. */
  taken(): void;
  /**
   * What to throw for an error of the request: one with a `remedy` when the same request, made again, goes
   * out otherwise; one that names the field when the application asked for that.
   */
  refused(error: unknown): unknown;
}

/** One request, with the concessions that were made before it. */
export class ConcededRequest<T> implements Conceded {
  readonly #concessions: Concessions;
  readonly #table: ConcessionTable<T>;
  readonly #model: string;
  readonly #call: AbortSignal;
  /** What the call tries, and the provider has not taken yet. */
  readonly #tried: readonly Made<T>[];
  readonly #made: readonly Made<T>[];
  #sent: T | undefined;

  constructor(concessions: Concessions, table: ConcessionTable<T>, model: string, call: AbortSignal) {
    this.#concessions = concessions;
    this.#table = table;
    this.#model = model;
    this.#call = call;
    const known = concessions.of(table, model);
    this.#tried = concessions.triedBy<T>(call).filter((one) => !known.some(isOf(one)));
    this.#made = this.#tried.length === 0 ? known : [...known, ...this.#tried];
  }

  /** What to send in place of `parts`. */
  apply(parts: T): T {
    let sent = parts;
    for (const { concession, value } of this.#made) sent = concession.change?.(sent, value) ?? sent;
    this.#sent = sent;
    return sent;
  }

  taken(): void {
    this.#sent = undefined;
    if (this.#tried.length === 0) return;
    this.#concessions.tryOut(this.#call, NOTHING);
    // Other requests may have added concessions meanwhile.
    const made = this.#concessions.of(this.#table, this.#model);
    const added = this.#tried.filter((one) => !made.some(isOf(one)));
    this.#concessions.keep(this.#table, this.#model, [...made, ...added]);
  }

  refused(error: unknown): unknown {
    if (!(error instanceof ModelError) || this.#sent === undefined || !mayNameFields(error)) return error;
    const named = error.refusal ? this.#named(error.refusal, this.#sent) : [];
    const changes = named.filter(({ concession }) => concession.change);
    if (error.refusal && changes.length > 0) {
      this.#concessions.tryOut(this.#call, [...this.#tried, ...changes]);
      return toRemedied(error, error.refusal, changes);
    }
    // What was tried in vain is not kept.
    this.#concessions.tryOut(this.#call, NOTHING);
    const [askedFor] = error.kind === "invalid-request" ? named : [];
    return askedFor ? toRefusedByName(error, askedFor.concession.field) : error;
  }

  #named(refusal: Refusal, sent: T): readonly Made<T>[] {
    const inMessage = isOfMessage(refusal);
    const tried = this.#made.map(({ concession }) => concession);
    const found: Made<T>[] = [];
    for (const concession of this.#table.rows) {
      if (tried.includes(concession) || (inMessage && !concession.isInMessages)) continue;
      // When there are two for one field, one is made at a time.
      if (found.some((other) => other.concession.field === concession.field)) continue;
      if (!concession.isNamed(refusal)) continue;
      const value = concession.valueIn ? concession.valueIn(refusal, sent) : 0;
      if (value === undefined) continue;
      const applies = concession.isAskedFor?.(sent) ?? concession.change?.(sent, value) !== undefined;
      if (applies) found.push({ concession, value });
    }
    return found;
  }
}

function isOf(one: { readonly concession: unknown }) {
  return (other: { readonly concession: unknown }): boolean => other.concession === one.concession;
}

/** Some gateways answer with a 500 what the provider behind them answered with a 400. */
function mayNameFields({ kind, status }: ModelError): boolean {
  return kind === "invalid-request" || (kind === "server" && (status === 500 || status === 501));
}

function toRemedied<T>(error: ModelError, { said }: Refusal, made: readonly Made<T>[]): ModelError {
  const told = made.map(({ concession }) => concession.told ?? `${concession.field} is left out`).join("; ");
  const reason = cutText(said, MOST_SAID);
  const remedy = `The provider refused a part of the request (${reason}). It is made again, and later ones are made so, too: ${told}.`;
  return new ModelError(error.kind, error.message, { ...detailsOf(error), remedy });
}

function toRefusedByName(error: ModelError, field: string): ModelError {
  const message = `${error.message} The application asked for ${field}, so it is not left out: choose a model or provider that takes it, or ask without it.`;
  return new ModelError("invalid-request", message, { ...detailsOf(error), refusedField: field });
}

function detailsOf({ status, requestId, errorCode, cause }: ModelError) {
  return { status, requestId, errorCode, cause };
}
