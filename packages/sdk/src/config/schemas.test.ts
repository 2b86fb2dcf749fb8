import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as valibot from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { z as z3 } from "zod/v3";
import type { AnySchema, StandardSchema } from "../types/schemas.ts";
import { checkedHandler, toToolDefinition } from "./tools.ts";

const parametersOf = async (parameters: AnySchema) =>
  (await toToolDefinition({ name: "t", parameters })).parameters;

/** The same arguments in each library: a city, and a number of days that is left out or given as text. */
const SCHEMAS: [string, AnySchema][] = [
  ["Zod 4", z.object({ city: z.string(), days: z.optional(z.string().transform(Number)) })],
  [
    "Zod Mini",
    mini.object({
      city: mini.string(),
      days: mini.optional(mini.pipe(mini.string(), mini.transform(Number))),
    }),
  ],
  ["Zod 3", z3.object({ city: z3.string(), days: z3.string().transform(Number).optional() })],
  [
    "Valibot",
    valibot.object({
      city: valibot.string(),
      days: valibot.optional(valibot.pipe(valibot.string(), valibot.transform(Number))),
    }),
  ],
  [
    "Valibot, made to say itself",
    toStandardJsonSchema(
      valibot.object({
        city: valibot.string(),
        days: valibot.optional(valibot.pipe(valibot.string(), valibot.transform(Number))),
      }),
    ),
  ],
  ["ArkType", type({ city: "string", "days?": type("string").pipe(Number) })],
];

describe.each(SCHEMAS)("a schema of %s", (_library, schema) => {
  const call = async (args: unknown) => {
    const handler = checkedHandler({ name: "t", parameters: schema, handler: (given) => given });
    return handler?.(args, { sessionId: "s", toolCallId: "c", toolName: "t", arguments: args });
  };

  test("is told as JSON Schema, of what goes in where something else comes out", async () => {
    expect(await parametersOf(schema)).toMatchObject({
      type: "object",
      properties: { city: { type: "string" }, days: { type: "string" } },
      required: ["city"],
    });
  });

  test("checks the arguments before the handler gets them, and gives it what comes out", async () => {
    expect(await call({ city: "Ulm", days: "3" })).toEqual({ city: "Ulm", days: 3 });
    expect(await call({ city: "Ulm" })).toEqual({ city: "Ulm" });
  });

  test("names the place where the arguments do not fit", async () => {
    await expect(call({ city: 7 })).rejects.toThrow(
      /^the arguments of the tool t are not as the schema wants: city: ./,
    );
    await expect(call(undefined)).rejects.toThrow(
      /^the arguments of the tool t are not as the schema wants: ./,
    );
  });
});

test("JSON Schema is told as it is, and checks nothing", async () => {
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  expect(await parametersOf(parameters)).toBe(parameters);
  const handler = (args: unknown) => args;
  expect(checkedHandler({ name: "t", parameters, handler })).toBe(handler);
});

test("a check that takes its time is waited for", async () => {
  const schema: StandardSchema = {
    "~standard": { version: 1, vendor: "v", validate: async () => ({ issues: [{ message: "no" }] }) },
  };
  const handler = checkedHandler({ name: "t", parameters: schema, handler: () => "called" });
  await expect(handler?.({}, {} as never)).rejects.toThrow(
    "the arguments of the tool t are not as the schema wants: no",
  );
});

test("a schema of a library without a converter is refused by the library's name", async () => {
  const schema: StandardSchema = {
    "~standard": { version: 1, vendor: "acme", validate: (value) => ({ value }) },
  };
  await expect(parametersOf(schema)).rejects.toThrow(
    "tool t: expected JSON Schema or a schema that says itself as JSON Schema; got a schema of acme, which does not",
  );
});
