/**
 * The seam to metrics. Code calls these methods where something happens; nobody
 * listens unless metrics are on. Calls are cheap and never throw.
 */
export interface Instruments {
  modelCalled(call: {
    readonly tenant: string;
    readonly model: string;
    readonly durationMs: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cacheReadTokens: number;
    /** The cost in billionths of an AI credit, when the provider tells it. */
    readonly nanoAiu: number;
  }): void;
  /** A run had to wait for a place, since as many as may be were running. */
  waited(ms: number): void;
  /** A request was answered with an error. */
  requestFailed(reason: string): void;
  /** A commit of the store: how long it took, and whether it held. */
  stored(commit: { readonly durationMs: number; readonly ok: boolean }): void;
}

const NO_INSTRUMENTS: Instruments = {
  modelCalled: () => undefined,
  waited: () => undefined,
  requestFailed: () => undefined,
  stored: () => undefined,
};

/** Passes everything on to whoever listens at the time: nobody, until the metrics are loaded. */
export class InstrumentRelay implements Instruments {
  target: Instruments = NO_INSTRUMENTS;

  modelCalled(call: Parameters<Instruments["modelCalled"]>[0]): void {
    this.target.modelCalled(call);
  }

  waited(ms: number): void {
    this.target.waited(ms);
  }

  requestFailed(reason: string): void {
    this.target.requestFailed(reason);
  }

  stored(commit: Parameters<Instruments["stored"]>[0]): void {
    this.target.stored(commit);
  }
}
