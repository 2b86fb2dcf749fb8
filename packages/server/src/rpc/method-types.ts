/** What the wire's schemas say of each method: the parameters it takes and the result it answers with. */
import type { PublishedMethods, RawResult, RuntimeMethods, StreamedResult } from "@rightseat/protocol";

interface WireMethods extends Omit<PublishedMethods, keyof RuntimeMethods>, RuntimeMethods {}

/** Clients name their prompts, which the schema does not have; whoever reads it checks it. */
interface NamesItsPrompt {
  readonly messageId?: string;
}

interface AddedToParams {
  "session.send": NamesItsPrompt;
  "session.sendAndWait": NamesItsPrompt;
}

/** Fields that this server adds to results; clients pass by what they do not know. `conformance` knows them by name. */
interface AddedToResults {
  connect: { readonly maxMessageBytes: number };
  "session.commands.enqueue": { readonly queueId: string };
}

/** Where the schema says less than what clients read. */
interface ResultsBeyondSchema {
  /** SDKs that do not introduce themselves read a number. */
  ping: Omit<WireMethods["ping"]["result"], "timestamp"> & { readonly timestamp: string | number };
  /** Null for the default agent, as the description of the result has it. */
  "session.agent.getCurrent": {
    readonly agent: WireMethods["session.agent.getCurrent"]["result"]["agent"] | null;
  };
}

export type MethodName = keyof WireMethods;

/**
 * Parameters as a method gets them: its schema has checked them, null of an optional property is taken out, and a
 * required property that may be null is there.
 */
export type ParamsOf<M extends MethodName> = Plain<WireMethods[M]["params"]> &
  (M extends keyof AddedToParams ? AddedToParams[M] : unknown);

export type ResultOf<M extends MethodName> = Told<
  M extends keyof ResultsBeyondSchema ? ResultsBeyondSchema[M] : WireMethods[M]["result"]
> &
  (M extends keyof AddedToResults ? AddedToResults[M] : unknown);

/** A result as it is, or as JSON text that the store has already. */
export type AnswerOf<M extends MethodName> = ResultOf<M> | RawResult | StreamedResult;

/** What is told is never changed: it may belong to others. */
type Told<T> = T extends object ? { readonly [K in keyof T]: Told<T[K]> } : T;

/** The same, with interfaces as plain types of objects, which fit where any fields are taken. */
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
