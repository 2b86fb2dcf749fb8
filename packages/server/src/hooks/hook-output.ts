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
