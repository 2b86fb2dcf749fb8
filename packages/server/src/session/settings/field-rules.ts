/**
 * Options that clients send, and what becomes of each: it takes effect, or it is accepted without effect
 * and the client is told so, or it is refused by name. The tables are in `session-fields.ts`.
 */
import { RpcError } from "@rightseat/protocol";
import type { ClientLink } from "../clients/client-link.ts";
import type { Session } from "../session.ts";

export type FieldRule =
  | {
      readonly effect: "honoured";
      /** What it asks for can be refused all the same: the reason, or undefined when it can be had. */
      readonly refuses?: (value: unknown) => string | undefined;
    }
  | {
      readonly effect: "none" | "refused";
      /** Why, for the client; the rest of a sentence that begins with the field's name. */
      readonly why: string;
      /** Whether a value asks for something that is not so already. Default: `asksForSomething`. */
      readonly asks?: (value: unknown) => boolean;
    };

export type FieldRules = Readonly<Record<string, FieldRule>>;

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

/**
 * Looks at every field that came. Returns one line for each that has no effect, for `warnOfFields`.
 * @param method for messages.
 * @throws RpcError `not_supported` for the first field that is refused, with its name in `data.path`.
 */
export function checkFields(method: string, params: object, rules: FieldRules): string[] {
  const unheard: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : UNKNOWN;
    if (rule === undefined) continue;
    if (rule.effect === "honoured") {
      const why = rule.refuses?.(value);
      if (why !== undefined) throw refused(method, name, why);
    } else if ((rule.asks ?? asksForSomething)(value)) {
      if (rule.effect === "refused") throw refused(method, name, rule.why);
      unheard.push(`'${name}' ${rule.why}`);
    }
  }
  return unheard;
}

const UNKNOWN: FieldRule = { effect: "none", why: "is not known to this version of the server" };

function refused(method: string, name: string, why: string): RpcError {
  return new RpcError("not_supported", `${method}: the option '${name}' ${why}; leave it out`, {
    path: name,
  });
}

/** Tells one client, by an ephemeral `session.warning`, which of its options have no effect, and why. */
export function warnOfFields(session: Session, link: ClientLink, unheard: readonly string[]): void {
  if (unheard.length === 0) return;
  session.emit(
    "session.warning",
    { warningType: "unsupported_options", message: `Without effect here: ${unheard.join("; ")}.` },
    link,
  );
}
