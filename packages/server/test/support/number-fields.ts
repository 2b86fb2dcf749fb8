/** Every number in the parameters of a method, however deep, with a way to give it a value. */
import { branchesOf, type Located, paramsSchemaOf, propertiesOf, sampleOf } from "./wire-schemas.ts";

type Wrap = (value: unknown) => unknown;

export interface NumberField {
  /** With `[0]` for what is in a list, and `.any` for what is in a map. */
  readonly path: string;
  /** Parameters with this value in their place, and little else but what is required beside it. */
  readonly wrap: (value: number) => Record<string, unknown>;
}

export function numberFieldsOf(method: string): NumberField[] {
  const fields = new Map<string, NumberField>();
  for (const field of visit(paramsSchemaOf(method), "", (value) => value, []))
    if (!fields.has(field.path)) fields.set(field.path, field);
  return [...fields.values()];
}

function* visit(
  schema: Located,
  path: string,
  wrap: Wrap,
  above: readonly unknown[],
): Generator<NumberField> {
  for (const branch of branchesOf(schema)) {
    const { type, items, additionalProperties, properties, allOf } = branch.schema;
    if (above.includes(branch.schema)) continue;
    const around = [...above, branch.schema];
    if ([type].flat().some((name) => name === "number" || name === "integer"))
      yield { path, wrap: wrap as NumberField["wrap"] };
    if (properties || allOf) yield* visitObject(branch, path, wrap, around);
    if (items) yield* visit(branch.in(items), `${path}[0]`, (value) => wrap([value]), around);
    if (typeof additionalProperties === "object")
      yield* visit(branch.in(additionalProperties), `${path}.any`, (value) => wrap({ any: value }), around);
  }
}

function* visitObject(
  object: Located,
  path: string,
  wrap: Wrap,
  around: readonly unknown[],
): Generator<NumberField> {
  for (const { tags, properties } of propertiesOf(object)) {
    const required: string[] = object.schema.required ?? [];
    const beside = Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] as Located)]));
    for (const [name, property] of Object.entries(properties))
      yield* visit(
        property,
        path === "" ? name : `${path}.${name}`,
        (value) => wrap({ ...beside, ...tags, [name]: value }),
        around,
      );
  }
}
