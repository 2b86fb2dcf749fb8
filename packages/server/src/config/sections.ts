/** Reads objects of the config file: each value is checked, and every unknown key is named. */
import { cutText } from "@rightseat/protocol";
import { ConfigError } from "./config-error.ts";

/** One object of the config file, and where it stands, for errors. */
export class Section {
  readonly where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** @throws ConfigError when it is not an object, or has a key that is not in `keys` (any, without them). */
  constructor(where: string, value: unknown, keys?: readonly string[]) {
    this.where = where;
    if (value === null || typeof value !== "object" || Array.isArray(value))
      throw new ConfigError(`${where}: expected an object, got ${show(value)}`);
    for (const key of Object.keys(value)) {
      if (keys && !keys.includes(key))
        throw new ConfigError(`${where}: unknown setting '${key}'; expected one of ${keys.join(", ")}`);
    }
    this.#values = value as Record<string, unknown>;
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }

  entries(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  text(key: string): string | undefined;
  text(key: string, needed: true): string;
  text(key: string, needed = false): string | undefined {
    const value = this.raw(key);
    if (value === undefined && !needed) return undefined;
    if (typeof value === "string" && value !== "") return value;
    throw this.fail(key, "text", value);
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.raw(key);
    if (value === undefined || choices.includes(value as T)) return value as T | undefined;
    throw this.fail(key, `one of ${choices.join(", ")}`, value);
  }

  number(key: string, min = 0): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && value >= min) return value;
    throw this.fail(key, `a number of at least ${min}`, value);
  }

  list(key: string): readonly unknown[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    throw this.fail(key, "a list", value);
  }

  fail(key: string, expected: string, value: unknown): ConfigError {
    return new ConfigError(`${this.where}.${key}: expected ${expected}, got ${show(value)}`);
  }
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : cutText(JSON.stringify(value) ?? String(value), 200);
}
