/** Schemas of any library: as JSON Schema for the server, and as a check of the values that come back. */
import { toError } from "../errors.ts";
import type { AnySchema, StandardSchema } from "../types/schemas.ts";

type Json = Record<string, unknown>;
type Convert = (options: { target: string }) => Json;

const TARGET = "draft-07";

/**
 * At once, or a promise while a converter is loaded.
 * @throws Error that names `where` when the schema cannot be told as JSON Schema
 */
export function toJsonSchema(schema: AnySchema, where: string): Json | Promise<Json> {
  if ("toJSONSchema" in schema && typeof schema.toJSONSchema === "function")
    return ownJsonSchema(schema as { toJSONSchema: () => unknown });
  const { _def } = schema as { _def?: { typeName?: unknown } };
  if (typeof _def?.typeName === "string")
    return import("./zod-v3.ts").then(({ zodV3ToJsonSchema }) => zodV3ToJsonSchema(schema, where));
  if (!("~standard" in schema)) return schema as Json;
  const standard = schema as StandardSchema;
  const convert = converterOf(standard);
  if (convert) return converted(convert, where);
  return convertOutside(standard, where).then((loaded) => converted(loaded, where));
}

function converted(convert: Convert, where: string): Json {
  try {
    return convert({ target: TARGET });
  } catch (error) {
    throw new Error(
      `${where}: expected JSON Schema or a schema that can be told as JSON Schema: ${toError(error).message}`,
      { cause: error },
    );
  }
}

/**
 * Checks a value by a schema of a library and gives what the schema makes of it; by JSON Schema nothing is checked.
 * @throws Error that says where the value does not fit
 */
export async function checkValue(schema: AnySchema, value: unknown, what: string): Promise<unknown> {
  if (!isStandard(schema)) return value;
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ path, message }) => {
    const keys = path?.map((step) => String(typeof step === "object" ? step.key : step)) ?? [];
    return keys.length > 0 ? `${keys.join(".")}: ${message}` : message;
  });
  throw new Error(`${what} not as the schema wants: ${issues.join("; ")}`);
}

export function isStandard(schema: unknown): schema is StandardSchema {
  const isObject = (typeof schema === "object" && schema !== null) || typeof schema === "function";
  if (!isObject || !("~standard" in schema)) return false;
  const standard = schema["~standard"] as Partial<StandardSchema["~standard"]> | undefined;
  return typeof standard?.validate === "function";
}

/** What comes out of a transformation has no JSON Schema: then it is told what goes in. */
function ownJsonSchema(schema: { toJSONSchema: () => unknown }): Json {
  try {
    return schema.toJSONSchema() as Json;
  } catch (error) {
    const convert = isStandard(schema) && converterOf(schema);
    if (!convert) throw error;
    return convert({ target: TARGET });
  }
}

/** Standard JSON Schema: the part of a standard schema that says itself. */
function converterOf(schema: StandardSchema): Convert | undefined {
  const { jsonSchema } = schema["~standard"] as { jsonSchema?: { input?: Convert } };
  return jsonSchema?.input?.bind(jsonSchema);
}

/** Libraries whose converter is a module of its own: the application has it, not this package. */
const CONVERTERS: Record<
  string,
  { module: string; from: (module: never, schema: StandardSchema) => Convert }
> = {
  valibot: {
    module: "@valibot/to-json-schema",
    from: (module: { toStandardJsonSchema: (schema: unknown) => StandardSchema }, schema) =>
      converterOf(module.toStandardJsonSchema(schema)) as Convert,
  },
  zod: {
    module: "zod",
    from:
      (module: { toJSONSchema: (schema: unknown, options: object) => Json }, schema) =>
      ({ target }) =>
        module.toJSONSchema(schema, { target, io: "input" }),
  },
};

async function convertOutside(schema: StandardSchema, where: string): Promise<Convert> {
  const { vendor } = schema["~standard"];
  const converter = Object.hasOwn(CONVERTERS, vendor) ? CONVERTERS[vendor] : undefined;
  try {
    if (converter) return converter.from((await import(converter.module)) as never, schema);
  } catch (error) {
    throw new Error(
      `${where}: expected JSON Schema or a schema that says itself as JSON Schema; one of ${vendor} is told by ${converter?.module}, which cannot be used: install it, or pass JSON Schema`,
      { cause: error },
    );
  }
  throw new Error(
    `${where}: expected JSON Schema or a schema that says itself as JSON Schema; got a schema of ${vendor}, which does not: pass what your library has for it`,
  );
}
