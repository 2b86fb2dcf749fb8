/** `invalid-key`: a session id or tenant that no store accepts; the caller's mistake, not the store's. */
export type StoreErrorKind = "not-found" | "conflict" | "unavailable" | "corrupt" | "invalid-key";

/** The closed set of ways a store fails. `cause` carries the driver's error where there is one. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
  }
}
