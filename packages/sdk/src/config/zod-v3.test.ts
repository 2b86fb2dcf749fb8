import { expect, test } from "vitest";
import { z } from "zod/v3";
import { toToolDefinition } from "./tools.ts";

const parametersOf = async (parameters: unknown) =>
  (await toToolDefinition({ name: "t", parameters: parameters as never })).parameters;

enum Level {
  Low = 1,
  High = 2,
}

test("a schema of Zod 3 is told as JSON Schema", async () => {
  const schema = z
    .object({
      city: z.string().min(1).max(9).describe("where"),
      mail: z.string().email().optional(),
      days: z.number().int().min(1).lt(8).default(1),
      share: z.number().multipleOf(0.5),
      units: z.enum(["c", "f"]),
      level: z.nativeEnum(Level),
      tags: z.array(z.string()).min(1),
      pair: z.tuple([z.string(), z.boolean()]),
      by: z.record(z.number()).nullable(),
      kind: z.discriminatedUnion("k", [
        z.object({ k: z.literal("a") }),
        z.object({ k: z.literal("b") }).strict(),
      ]),
      when: z.date().or(z.null()),
      any: z.unknown(),
      trimmed: z.string().transform((text) => text.trim()),
    })
    .describe("a request");
  expect(await parametersOf(schema)).toEqual({
    type: "object",
    description: "a request",
    properties: {
      city: { type: "string", minLength: 1, maxLength: 9, description: "where" },
      mail: { type: "string", format: "email" },
      days: { type: "integer", minimum: 1, exclusiveMaximum: 8, default: 1 },
      share: { type: "number", multipleOf: 0.5 },
      units: { type: "string", enum: ["c", "f"] },
      level: { enum: [1, 2] },
      tags: { type: "array", items: { type: "string" }, minItems: 1 },
      pair: {
        type: "array",
        prefixItems: [{ type: "string" }, { type: "boolean" }],
        minItems: 2,
        items: false,
      },
      by: { anyOf: [{ type: "object", additionalProperties: { type: "number" } }, { type: "null" }] },
      kind: {
        anyOf: [
          { type: "object", properties: { k: { const: "a" } }, required: ["k"], additionalProperties: false },
          { type: "object", properties: { k: { const: "b" } }, required: ["k"], additionalProperties: false },
        ],
      },
      when: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] },
      any: {},
      trimmed: { type: "string" },
    },
    required: ["city", "share", "units", "level", "tags", "pair", "by", "kind", "when", "trimmed"],
    additionalProperties: false,
  });
});

test("what passes more fields on says so", async () => {
  expect(await parametersOf(z.object({}).passthrough())).toMatchObject({ additionalProperties: true });
  expect(await parametersOf(z.object({}).catchall(z.string()))).toMatchObject({
    additionalProperties: { type: "string" },
  });
});

test("a kind that JSON Schema has no word for is named, with its place", async () => {
  await expect(parametersOf(z.object({ a: z.object({ f: z.function() }) }))).rejects.toThrow(
    "tool t.a.f: a ZodFunction cannot be told as JSON Schema",
  );
});

test("a schema of another library says what to pass instead", async () => {
  await expect(parametersOf({ "~standard": { version: 1, vendor: "valibot" } })).rejects.toThrow(
    /tool t: expected JSON Schema/,
  );
});

test("JSON Schema is passed on as it is", async () => {
  const schema = { type: "object", properties: { a: { type: "string" } } };
  expect(await parametersOf(schema)).toBe(schema);
});
