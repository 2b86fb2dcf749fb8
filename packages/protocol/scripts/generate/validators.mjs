// Compiles the schemas of parameters to code that needs no schema library at run time.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { renderKnownFields } from "./known-fields.mjs";
import { parseRef } from "./schemas.mjs";

const require = createRequire(import.meta.url);

/** Keywords that are copied as they are; all others are annotations, or too strict for what clients send. */
const COPIED_KEYWORDS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
]; // prettier-ignore

/** Values of these that are not known are taken like the default one. */
const OPEN_ENUMS = new Set(["SendMode"]);

/**
 * Rewrites a schema for lenient validation: unknown properties pass, formats are not checked, `dropNulls`
 * names the optional properties whose null means absent, and `fillNulls` the required ones that may be null,
 * for which absent means null: SDKs leave out what is null.
 */
class LenientSchemas {
  constructor(definitions) {
    this.definitions = definitions;
    this.converted = {};
  }

  resolve(schema, file) {
    let current = { schema, file };
    while (current.schema.$ref) {
      const target = parseRef(current.schema.$ref);
      const targetFile = target.schema ?? current.file;
      current = { schema: this.definitions[targetFile][target.name], file: targetFile };
    }
    return current;
  }

  convert(schema, file) {
    if (schema === undefined || typeof schema === "boolean") return schema ?? true;
    if (schema.$ref) return this.reference(schema, file);
    if (schema["x-opaque-in-process"] || schema.not) return {};
    const out = {};
    if (schema.type) out.type = schema.type;
    if (schema.const !== undefined) out.enum = [schema.const];
    if (schema.enum) out.enum = schema.enum;
    for (const keyword of COPIED_KEYWORDS) if (schema[keyword] !== undefined) out[keyword] = schema[keyword];
    const branches = schema.anyOf ?? schema.oneOf;
    if (branches) Object.assign(out, this.union(branches, file));
    if (schema.allOf) out.allOf = schema.allOf.map((part) => this.convert(part, file));
    if (schema.items) out.items = this.convert(schema.items, file);
    if (schema.propertyNames) out.propertyNames = this.convert(schema.propertyNames, file);
    if (schema.properties || schema.required) Object.assign(out, this.object(schema, file));
    else if (typeof schema.additionalProperties === "object") {
      const values = this.convert(schema.additionalProperties, file);
      if (Object.keys(values).length > 0) out.additionalProperties = values;
    }
    return out;
  }

  /** Enums and scalars are inlined; objects and unions stay references, so that they are compiled once. */
  reference(schema, file) {
    if (OPEN_ENUMS.has(parseRef(schema.$ref).name)) return { type: "string" };
    const target = this.resolve(schema, file);
    const isSmall = !target.schema.properties && !target.schema.anyOf && !target.schema.allOf;
    if (isSmall) return this.convert(target.schema, target.file);
    const { name } = parseRef(schema.$ref);
    const key = `${parseRef(schema.$ref).schema ?? file}.${name}`;
    if (!(key in this.converted)) {
      this.converted[key] = true;
      this.converted[key] = this.convert(target.schema, target.file);
    }
    return { $ref: `/definitions/${key}` };
  }

  object(schema, file) {
    const { properties = {}, required = [] } = schema;
    const out = { properties: {} };
    const nullable = [];
    const filled = required.filter((name) => this.allowsNull(properties[name] ?? false, file));
    for (const [name, property] of Object.entries(properties)) {
      const converted = this.convert(property, file);
      const constrains = converted === true || Object.keys(converted).length > 0;
      if (constrains) out.properties[name] = converted;
      if (constrains && !required.includes(name) && !this.allowsNull(property, file)) nullable.push(name);
    }
    const needed = required.filter((name) => !filled.includes(name));
    if (needed.length > 0) out.required = needed;
    if (nullable.length > 0) out.dropNulls = nullable;
    if (filled.length > 0) out.fillNulls = filled;
    return out;
  }

  allowsNull(schema, file) {
    if (typeof schema === "boolean") return schema;
    const target = this.resolve(schema, file);
    const branches = target.schema.anyOf ?? target.schema.oneOf;
    if (branches) return branches.some((branch) => this.allowsNull(branch, target.file));
    if (target.schema.enum) return target.schema.enum.includes(null);
    return target.schema.type === undefined || [target.schema.type].flat().includes("null");
  }

  union(branches, file) {
    const possible = branches.filter((branch) => !branch.not);
    const converted = possible.map((branch) => this.convert(branch, file));
    const objects = possible.map((branch) => this.resolve(branch, file));
    if (possible.length < 2 || objects.some(({ schema }) => !schema.properties)) return { anyOf: converted };
    const tag = this.findTag(objects);
    if (tag) return tag.isRequired ? byRequiredTag(tag, converted) : byOptionalTag(tag, converted);
    const keys = findOwnKeys(objects, (name, { schema, file: its }) =>
      this.allowsNull(schema.properties[name], its),
    );
    return keys ? byOwnKey(keys, converted) : { anyOf: converted };
  }

  /** The property whose fixed values tell the branches of a union apart; at most one branch may leave it out. */
  findTag(objects) {
    for (const name of Object.keys(objects[0].schema.properties)) {
      const valuesOfBranch = objects.map(({ schema, file }) => {
        const property = schema.properties[name] && this.resolve(schema.properties[name], file).schema;
        return property?.const !== undefined ? [property.const] : (property?.enum ?? [undefined]);
      });
      const isRequiredIn = objects.map(({ schema }) => schema.required?.includes(name) ?? false);
      const optionalCount = isRequiredIn.filter((isRequired) => !isRequired).length;
      const values = valuesOfBranch.flat();
      const isTag =
        values.every((value) => typeof value === "string") && new Set(values).size === values.length;
      if (isTag && optionalCount <= 1)
        return { name, values, valuesOfBranch, isRequiredIn, isRequired: optionalCount === 0 };
    }
    return undefined;
  }
}

function byRequiredTag({ name, values }, branches) {
  return {
    type: "object",
    required: [name],
    properties: { [name]: { enum: values } },
    discriminator: { propertyName: name },
    oneOf: branches,
  };
}

function byOptionalTag({ name, values, valuesOfBranch, isRequiredIn }, branches) {
  return {
    type: "object",
    dropNulls: [name],
    properties: { [name]: { enum: values } },
    allOf: branches.map((branch, index) => {
      const tagged = { properties: { [name]: { enum: valuesOfBranch[index] } } };
      return { if: isRequiredIn[index] ? { ...tagged, required: [name] } : tagged, then: branch };
    }),
  };
}

/** For each branch a required property that no other branch knows, and that is never left out. */
function findOwnKeys(objects, mayBeLeftOut) {
  const keys = objects.map((object) =>
    object.schema.required?.find(
      (key) =>
        objects.filter((other) => key in other.schema.properties).length === 1 && !mayBeLeftOut(key, object),
    ),
  );
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function byOwnKey(keys, branches) {
  return {
    type: "object",
    anyOf: keys.map((key) => ({ required: [key] })),
    allOf: branches.map((branch, index) => ({ if: { required: [keys[index]] }, then: branch })),
  };
}

function createCompiler() {
  const { Ajv, _, stringify } = require("ajv");
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    messages: false,
    discriminator: true,
    validateFormats: false,
    unicode: false,
    logger: false,
    code: { source: true, esm: true, lines: false, optimize: 2 },
  });
  const addNullKeyword = (keyword, doFor) =>
    ajv.addKeyword({
      keyword,
      type: "object",
      schemaType: "array",
      before: "properties",
      modifying: true,
      code({ gen, schema, data }) {
        const names = gen.scopeValue("schema", { ref: schema, code: stringify(schema) });
        gen.forOf("name", names, (name) => doFor(gen, _`${data}[${name}]`));
      },
    });
  addNullKeyword("dropNulls", (gen, value) =>
    gen.if(_`${value} === null`, () => gen.code(_`delete ${value}`)),
  );
  addNullKeyword("fillNulls", (gen, value) =>
    gen.if(_`${value} === undefined`, () => gen.code(_`${value} = null`)),
  );
  return ajv;
}

/** Expands `session.mode.*` to the published methods below it. Throws on a pattern that matches none. */
export function expandMethodPatterns(patterns, names) {
  const chosen = new Set();
  for (const pattern of patterns) {
    const prefix = pattern.endsWith(".*") ? pattern.slice(0, -1) : undefined;
    const matches = names.filter((name) => (prefix ? name.startsWith(prefix) : name === pattern));
    if (matches.length === 0) {
      throw new Error(`implemented-methods.json: "${pattern}" matches no method of the published schema`);
    }
    for (const name of matches) chosen.add(name);
  }
  return names.filter((name) => chosen.has(name));
}

/** The files of the validators: `{[file name]: text}`. */
export function renderValidators({ definitions, methods, runtimeMethods, implemented }) {
  const toServer = methods.filter(({ group }) => group === "server" || group === "session");
  const names = expandMethodPatterns(
    implemented,
    toServer.map((method) => method.name),
  );
  const chosen = [
    ...toServer.filter((method) => names.includes(method.name)).map((method) => ({ ...method, file: "api" })),
    ...runtimeMethods
      .filter((method) => method.direction === "to-server")
      .map((method) => ({ ...method, file: "runtime" })),
  ];
  const lenient = new LenientSchemas(definitions);
  const params = chosen.map((method) => ({
    name: method.name,
    schema: lenient.convert(method.params, method.file),
  }));
  const ajv = createCompiler();
  // Each definition is a schema of its own: as parts of one they would be compiled again for every method.
  for (const [key, schema] of Object.entries(lenient.converted))
    ajv.addSchema({ $id: `/definitions/${key}`, ...schema });
  const exports = {};
  for (const [index, { name, schema }] of params.entries()) {
    ajv.addSchema({ $id: `/params/${name}`, ...schema });
    exports[`p${index}`] = `/params/${name}`;
  }
  const standalone = require("ajv/dist/standalone").default;
  const code = compact(standalone(ajv, exports));
  if (/\brequire\(/.test(code))
    throw new Error(`validators need a run-time library: ${/require\([^)]*\)/.exec(code)[0]}`);
  const table = params.map(
    ({ name }, index) => `  ${JSON.stringify(name)}: createParamsValidator(p${index}),\n`,
  );
  return {
    "validators.mjs": [
      'import { createParamsValidator, fail } from "./validation-issues.mjs";',
      code,
      `export const paramsValidators = {\n${table.join("")}};`,
      renderKnownFields(definitions, chosen),
    ].join("\n"),
    "validation-issues.mjs": readFileSync(new URL("validation-issues.mjs", import.meta.url), "utf8"),
    "validators.d.mts": VALIDATORS_DTS,
  };
}

/**
 * Ajv spells every error out where it may happen; put into one function, the code is half as long and loads in
 * half the time. Schemas that are kept for their annotations go too.
 */
function compact(code) {
  let text = code
    .replace(/"use strict";/g, "")
    .replace(/export const /g, "const ")
    .replace(/\/\*# sourceURL=.*?\*\/;?/g, "")
    .replace(/, parentData, parentDataProperty, rootData=data\}=\{\}\)/g, "}={})")
    .replace(/,parentData(?::[^,{}]+)?,parentDataProperty(?::[^,{}]+)?,rootData\}/g, "}")
    .replace(
      /const (err\d+) = \{\};if\(vErrors === null\)\{vErrors = \[\1\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g,
      "vErrors = fail(vErrors);errors++;",
    )
    .replace(
      /const (err\d+) = \{instancePath(?::(.+?))?,schemaPath:"(?:[^"\\]|\\.)*",keyword:("\w+"),params:(\{.*?\})\};if\(vErrors === null\)\{vErrors = \[\1\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g,
      (_match, _name, path, keyword, params) =>
        `vErrors = fail(vErrors, ${path ?? "instancePath"}, ${keyword}, ${params});errors++;`,
    );
  const schemas = new Map(
    [...text.matchAll(/const (schema\d+) = (.*?);(?=const |function )/g)].map((match) => [
      match[1],
      match[2],
    ]),
  );
  text = text.replace(/(schema\d+)((?:\.\w+|\[\d+\]|\["[^"]+"\])*\.enum)\b/g, (_match, name, path) =>
    JSON.stringify(new Function(`return (${schemas.get(name)})${path}`)()),
  );
  for (const [name, schema] of schemas) {
    const isUsed = text.match(new RegExp(`\\b${name}\\b`, "g")).length > 1;
    if (!isUsed) text = text.replace(`const ${name} = ${schema};`, "");
  }
  if (/\bconst err\d+ =|\b(parentData|rootData)\b/.test(text)) {
    throw new Error("the compiled validators have a form that compact() does not know");
  }
  return text
    .replaceAll("vErrors", "e")
    .replace(/\binstancePath\b/g, "at")
    .replace(/;function/g, ";\nfunction");
}

const VALIDATORS_DTS = `/** One thing that is wrong with a value. */
export interface ValidationIssue {
  /** Where, such as \`attachments[0].path\`; empty for the value itself. */
  path: string;
  /** What was expected and what came, such as \`expected string, got number\`. */
  message: string;
}

/**
 * Returns what is wrong, or undefined. Unknown properties pass. Changes \`data\` in two ways: an optional property
 * that is null is deleted, because SDKs send null for absent; and a required property that may be null and is
 * absent becomes null, because SDKs leave out what is null. Absent parameters count as \`{}\`.
 */
export type ParamsValidator = (data: unknown) => ValidationIssue[] | undefined;

/** A validator for each implemented method that clients call, by method name. */
export declare const paramsValidators: Readonly<Record<string, ParamsValidator>>;

/**
 * An object of parameters: for each field the place in the table of the object in it, or of those in its list; the
 * same for the values of a map. 0 stands for what may be anything, or has no fields.
 */
export type KnownObject = readonly [fields: Readonly<Record<string, number>>, values?: number];

/** What the schemas know of the fields of each method's parameters. Methods whose parameters may be anything are left out. */
export declare const knownFields: {
  readonly places: Readonly<Record<string, number>>;
  readonly objects: readonly (KnownObject | null)[];
};
`;
