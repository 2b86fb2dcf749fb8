/**
 * Fields that clients send and no schema of the wire knows, told as those of `session.create` are: for every method
 * without a table of its own in `session-fields.ts`, `nested-fields.ts` or `prompt-fields.ts`.
 */
import type * as fieldRules from "./field-rules.ts";
import type { FieldRule, FieldRules } from "./field-rules.ts";

/** As the generated table of the protocol has them; see `KnownObject` there. */
export interface KnownFields {
  readonly places: Readonly<Record<string, number>>;
  readonly objects: readonly (readonly [fields: Readonly<Record<string, number>>, values?: number] | null)[];
}

/** Methods whose own tables say more of their fields than the schemas, and `connect`, of which others know. */
export const WITH_OWN_TABLE: ReadonlySet<string> = new Set([
  "connect",
  "session.create",
  "session.resume",
  "session.options.update",
  "session.send",
  "session.sendAndWait",
  "session.sendMessages",
  "session.fleet.start",
  "session.provider.add",
  "session.provider.sync",
  "session.tools.set",
  "session.tools.updateSubagentSettings",
  "session.permissions.configure",
]);

/** Rules by the place of their object; made when one first comes. */
export class PublishedFields {
  readonly #known: KnownFields;
  readonly #means: Pick<typeof fieldRules, "checkFields" | "honoured" | "within">;
  readonly #rules = new Map<number, FieldRules>();

  /** @param means given, so that this is loaded late without taking what a start loads apart. */
  constructor(known: KnownFields, means: Pick<typeof fieldRules, "checkFields" | "honoured" | "within">) {
    this.#known = known;
    this.#means = means;
  }

  /** A line for each field of the parameters that is not known, as `checkFields` has it. */
  unknownIn(method: string, params: object): readonly string[] {
    const { places } = this.#known;
    if (WITH_OWN_TABLE.has(method) || !Object.hasOwn(places, method)) return [];
    return this.#means.checkFields(method, params, this.#rulesAt(places[method] as number));
  }

  #rulesAt(place: number): FieldRules {
    const made = this.#rules.get(place);
    if (made) return made;
    const fields: Readonly<Record<string, number>> = this.#known.objects[place]?.[0] ?? {};
    const rules: Record<string, FieldRule> = Object.create(null);
    this.#rules.set(place, rules);
    for (const [name, inner] of Object.entries(fields)) rules[name] = this.#ruleOf(inner);
    return rules;
  }

  #ruleOf(place: number): FieldRule {
    const object = this.#known.objects[place];
    const { honoured, within } = this.#means;
    if (!object) return honoured;
    const [fields, values] = object;
    if (values === undefined) return within(() => this.#rulesAt(place));
    // A map, of which some names may be fixed: what is in those is not looked at.
    if (Object.keys(fields).length > 0 || values === 0) return honoured;
    return within(() => this.#rulesAt(values), { isMap: true });
  }
}
