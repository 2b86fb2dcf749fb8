/** What a hook answered, read field by field: what is not as it should be is told and left out. */
export class HookOutput {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #onBadField: (message: string) => void;

  /** @param onBadField told which field was left out, what was expected and what came. */
  constructor(fields: Readonly<Record<string, unknown>>, onBadField: (message: string) => void) {
    this.#fields = fields;
    this.#onBadField = onBadField;
  }

  /** A text that is not empty. */
  text(field: string): string | undefined {
    return this.#read(field, "text", (value) => typeof value === "string" && value !== "");
  }

  flag(field: string): boolean {
    return this.#read<boolean>(field, "true or false", (value) => typeof value === "boolean") ?? false;
  }

  /**
   * Whether the answer says no in the words of other agents' hooks: `continue: false`, or a `decision` that
   * is none of those that let go on. A decision that is not known counts as a no, and is told.
   */
  refuses(): { readonly reason: string | undefined } | undefined {
    const stops = this.#fields["continue"] === false;
    if (!stops && !this.#isNo(this.#fields["decision"])) return undefined;
    return { reason: this.text("reason") ?? this.text("stopReason") };
  }

  #isNo(decision: unknown): boolean {
    if (decision === undefined || decision === null || decision === "") return false;
    if (decision === "allow" || decision === "approve") return false;
    if (decision !== "block" && decision !== "deny")
      this.#onBadField(`decision: expected one of block, allow, got ${shown(decision)}; it counts as block`);
    return true;
  }

  /** As `flag`, but what cannot be read withholds, too. */
  withholds(field: string): boolean {
    const value = this.#fields[field];
    if (value === undefined || value === null || value === "" || typeof value === "boolean")
      return value === true;
    this.#onBadField(`${field}: expected true or false, got ${shown(value)}; it counts as true`);
    return true;
  }

  /** Undefined where the field says nothing; `unreadable`, and told, where it says something else than the values. */
  decision<T extends string>(field: string, values: readonly T[]): T | "unreadable" | undefined {
    const value = this.#fields[field];
    if (value === undefined || value === null || value === "") return undefined;
    return this.oneOf(field, values) ?? "unreadable";
  }

  /** Whether the field has something in it that is no object. */
  isNoObject(field: string): boolean {
    const value = this.#fields[field];
    return value !== undefined && value !== null && value !== "" && !isObject(value);
  }

  object(field: string): Readonly<Record<string, unknown>> | undefined {
    return this.#read(field, "an object", isObject);
  }

  oneOf<T extends string>(field: string, values: readonly T[]): T | undefined {
    return this.#read<T>(field, `one of ${values.join(", ")}`, (value) => values.includes(value as T));
  }

  /** A whole number from 0 on. */
  count(field: string): number | undefined {
    return this.#read<number>(
      field,
      "a whole number",
      (value) => Number.isInteger(value) && Number(value) >= 0,
    );
  }

  /** Unread; undefined for null as well. */
  any(field: string): unknown {
    return this.#fields[field] ?? undefined;
  }

  #read<T>(field: string, expected: string, fits: (value: unknown) => boolean): T | undefined {
    const value = this.#fields[field];
    // A field that says nothing is often sent all the same: null, or an empty text.
    if (value === undefined || value === null || value === "") return undefined;
    if (fits(value)) return value as T;
    this.#onBadField(`${field}: expected ${expected}, got ${shown(value)}; it was left out`);
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value;
}
