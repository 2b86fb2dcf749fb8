/**
 * SDKs leave out what is null, also where the schema requires it: every required property that may be null may be
 * absent, at any depth, and is null then. The table is made from the wire's schemas.
 */
import { paramsValidators } from "@rightseat/protocol/validators";
import { describe, expect, test } from "vitest";
import { branchesOf, type Located, paramsSchemaOf, sampleOf } from "./support/wire-schemas.ts";

interface Row {
  readonly keys: readonly string[];
  /** Parameters with everything that leads to the property, and without it. */
  readonly params: unknown;
}

const MAX_DEPTH = 8;

function rowsOf(located: Located, depth = 0): Row[] {
  if (depth > MAX_DEPTH) return [];
  return branchesOf(located).flatMap((branch) => {
    const { items, additionalProperties, type } = branch.schema;
    if (type === "array" && items)
      return rowsOf(branch.in(items), depth + 1).map(({ keys, params }) => ({
        keys: ["0", ...keys],
        params: [params],
      }));
    if (!branch.schema.properties && !branch.schema.allOf && typeof additionalProperties === "object")
      return rowsOf(branch.in(additionalProperties), depth + 1).map(({ keys, params }) => ({
        keys: ["any", ...keys],
        params: { any: params },
      }));
    return objectRows(branch, depth);
  });
}

function objectRows(branch: Located, depth: number): Row[] {
  const parts = [branch, ...(branch.schema.allOf ?? []).map((part: unknown) => branch.in(part))];
  const sample: Record<string, unknown> = {};
  for (const part of parts)
    for (const name of part.schema.required ?? [])
      sample[name] = sampleOf(part.in(part.schema.properties[name]));
  return parts.flatMap((part: Located) =>
    Object.entries(part.schema.properties ?? {}).flatMap(([name, schema]): Row[] => {
      const property = part.in(schema);
      const { [name]: _left, ...rest } = sample;
      const isLeftOut = part.schema.required?.includes(name) && mayBeNull(property);
      const inner = rowsOf(property, depth + 1).map(({ keys, params }) => ({
        keys: [name, ...keys],
        params: { ...sample, [name]: params },
      }));
      return isLeftOut ? [{ keys: [name], params: rest }, ...inner] : inner;
    }),
  );
}

function mayBeNull(property: Located): boolean {
  const branches = branchesOf(property);
  return branches.some(({ schema }) => {
    if (schema.enum || schema.const !== undefined) return schema.enum?.includes(null) ?? false;
    return schema.allOf ? false : schema.type === undefined || [schema.type].flat().includes("null");
  });
}

const ROWS = Object.keys(paramsValidators).flatMap((method) =>
  rowsOf(paramsSchemaOf(method)).map((row) => ({ method, path: row.keys.join("."), ...row })),
);

function read(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

describe("a required property that may be null is left out", () => {
  test("the table has those that SDKs were seen to leave out", () => {
    const names = ROWS.map(({ method, path }) => `${method} ${path}`);
    expect(names).toContain("session.tools.updateSubagentSettings subagents");
    expect(names).toContain("session.permissions.configure rules.approved.0.argument");
    expect(names).toContain("session.permissions.handlePendingPermissionRequest result.approval.toolName");
  });

  test.each(ROWS)("$method without $path", ({ method, keys, params }) => {
    const validate = paramsValidators[method] as (params: unknown) => unknown;
    const given = structuredClone(params);
    expect(validate(given)).toBeUndefined();
    expect(read(given, keys)).toBeNull();
  });
});

test("the head of a model's answer may come without headers", () => {
  const head = { requestId: "r", status: 101 };
  expect(paramsValidators["llmInference.httpResponseStart"]?.(head)).toBeUndefined();
});
