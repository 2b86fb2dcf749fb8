/**
 * Options that clients send, and what becomes of each: it takes effect, or it is accepted without effect
 * and the client is told so, or it is refused by name. The tables are in `session-fields.ts`,
 * `nested-fields.ts` and `prompt-fields.ts`.
 */
import { RpcError } from "@rightseat/protocol";

export type FieldRule =
  | {
      readonly effect: "honoured";
      /** What it asks for can be refused all the same: the reason, or undefined when it can be had. */
      readonly refuses?: (value: unknown) => string | undefined;
      /** A longer text is refused. */
      readonly maxChars?: number;
      /** What is no whole number from 0 up is refused; others would be passed on as they are. */
      readonly isCount?: true;
      /** What is in it, where that is an object, a list of objects, or a map of them. */
      readonly nested?: NestedFields;
    }
  | {
      readonly effect: "none" | "refused";
      /** Why, for the client; the rest of a sentence that begins with the field's name. */
      readonly why: string;
      /** Whether a value asks for something that is not so already. Default: `asksForSomething`. */
      readonly asks?: (value: unknown) => boolean;
    };

export type FieldRules = Readonly<Record<string, FieldRule>>;

export interface NestedFields {
  /** The fields that each object may have; a function where they depend on the object. */
  readonly fields: FieldRules | ((value: Readonly<Record<string, unknown>>) => FieldRules);
  /** The objects are the values of a map. */
  readonly isMap?: true;
  /** Fields that are not known are refused: what they would forbid would not be forbidden. */
  readonly isGuard?: true;
}

export const honoured: FieldRule = { effect: "honoured" };
export const atMost = (maxChars: number): FieldRule => ({ effect: "honoured", maxChars });
export const count: FieldRule = { effect: "honoured", isCount: true };
export const none = (why: string, asks?: (value: unknown) => boolean): FieldRule => ({
  effect: "none",
  why,
  asks,
});
export const refused = (why: string, asks?: (value: unknown) => boolean): FieldRule => ({
  effect: "refused",
  why,
  asks,
});
export const within = (
  fields: NestedFields["fields"],
  more: Omit<NestedFields, "fields"> = {},
): FieldRule => ({ effect: "honoured", nested: { fields, ...more } });

/** Whatever it says, this server does the less of the two. */
export const nothing = () => false;
export const differsFrom = (usual: unknown) => (value: unknown) => value !== usual;

/** Off, empty and absent ask for nothing. */
export function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object") {
    const fields = Object.values(value);
    return fields.length > 0 && (value as { enabled?: unknown }).enabled !== false;
  }
  return true;
}

/** How many are named; a message says when there are more. */
const MAX_NAMED = 100;
const MAX_NAME_CHARS = 100;
/** Objects that are looked at in one call: a list may be as long as a message. */
const MAX_OBJECTS = 10_000;

/**
 * Looks at every field that came, those in objects and lists too. Returns one line for each that has no
 * effect, for `warnOfFields`; the same field of several objects of a list is named once.
 * @param method for messages.
 * @throws RpcError `not_supported` for the first field that is refused, `invalid_params` for one that is too
 *   long or no count; with its place in `data.path`.
 */
export function checkFields(method: string, params: object, rules: FieldRules): string[] {
  const check: Check = { method, unheard: new Map(), unnamed: 0, objects: 0 };
  checkObject(check, params, { fields: rules }, "", "");
  const lines = [...check.unheard.values()];
  return check.unnamed > 0 ? [...lines, `${check.unnamed} more are not named here`] : lines;
}

interface Check {
  readonly method: string;
  /** Lines by where the field is, whichever object of a list it was in. */
  readonly unheard: Map<string, string>;
  unnamed: number;
  objects: number;
}

/** @param at where the object is. @param kind the same without indexes. */
function checkObject(check: Check, object: object, nested: NestedFields, at: string, kind: string): void {
  check.objects += 1;
  if (check.objects > MAX_OBJECTS) return;
  const { fields } = nested;
  const rules = typeof fields === "function" ? fields(object as Record<string, unknown>) : fields;
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    const rule =
      (Object.hasOwn(rules, name) ? rules[name] : undefined) ?? (nested.isGuard ? NO_GUARD : UNKNOWN);
    const shown = name.slice(0, MAX_NAME_CHARS);
    checkField(
      check,
      value,
      rule,
      at === "" ? shown : `${at}.${shown}`,
      kind === "" ? shown : `${kind}.${shown}`,
    );
  }
}

function checkField(check: Check, value: unknown, rule: FieldRule, at: string, kind: string): void {
  if (rule.effect === "honoured") {
    const why = rule.refuses?.(value);
    if (why !== undefined) throw refusal(check.method, at, why);
    if (rule.maxChars !== undefined && typeof value === "string" && value.length > rule.maxChars)
      throw tooLong(check.method, at, rule.maxChars, value.length);
    if (rule.isCount && typeof value === "number" && !(Number.isSafeInteger(value) && value >= 0))
      throw noCount(check.method, at, value);
    if (rule.nested) checkNested(check, value, rule.nested, at, kind);
    return;
  }
  if (!(rule.asks ?? asksForSomething)(value)) return;
  if (rule.effect === "refused") throw refusal(check.method, at, rule.why);
  if (check.unheard.has(kind)) return;
  if (check.unheard.size < MAX_NAMED) check.unheard.set(kind, `'${at}' ${rule.why}`);
  else check.unnamed += 1;
}

function checkNested(check: Check, value: unknown, nested: NestedFields, at: string, kind: string): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value) && !nested.isMap) {
    checkObject(check, value, nested, at, kind);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const place = Array.isArray(value) ? `[${key}]` : `.${key.slice(0, MAX_NAME_CHARS)}`;
    if (typeof item === "object" && item !== null)
      checkObject(check, item, nested, `${at}${place}`, `${kind}[]`);
  }
}

const UNKNOWN = none("is not known to this version of the server");
const NO_GUARD = refused("is not known to this version of the server, which would not keep to it");

function refusal(method: string, path: string, why: string): RpcError {
  return new RpcError("not_supported", `${method}: the option '${path}' ${why}; leave it out`, { path });
}

function tooLong(method: string, path: string, maxChars: number, chars: number): RpcError {
  return new RpcError(
    "invalid_params",
    `${method}: ${path}: expected at most ${maxChars} characters, got ${chars}`,
    { path },
  );
}

function noCount(method: string, path: string, value: number): RpcError {
  return new RpcError(
    "invalid_params",
    `${method}: ${path}: expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got ${value}`,
    { path },
  );
}
