import { describe, expect, test } from "vitest";
import { HookOutput } from "./hook-output.ts";

function read(fields: Record<string, unknown>) {
  const told: string[] = [];
  return { output: new HookOutput(fields, (message) => told.push(message)), told };
}

describe("a field of a hook's output", () => {
  test("is given as it is when it is of the right type", () => {
    const { output, told } = read({ text: "a", flag: true, object: { b: 1 }, one: "y", count: 3 });
    expect([
      output.text("text"),
      output.flag("flag"),
      output.object("object"),
      output.oneOf("one", ["x", "y"]),
      output.count("count"),
    ]).toEqual(["a", true, { b: 1 }, "y", 3]);
    expect(told).toEqual([]);
  });

  test("that says nothing is absent, and nobody is told", () => {
    const { output, told } = read({ text: "", flag: null, object: undefined });
    expect([output.text("text"), output.flag("flag"), output.object("object"), output.count("none")]).toEqual(
      [undefined, false, undefined, undefined],
    );
    expect(told).toEqual([]);
  });

  test.each([
    { field: "text", value: 5, read: (output: HookOutput) => output.text("text"), came: "number" },
    { field: "flag", value: "yes", read: (output: HookOutput) => output.flag("flag"), came: "string" },
    { field: "object", value: ["a"], read: (output: HookOutput) => output.object("object"), came: "a list" },
    { field: "one", value: "z", read: (output: HookOutput) => output.oneOf("one", ["x"]), came: "string" },
    { field: "count", value: -1, read: (output: HookOutput) => output.count("count"), came: "number" },
    { field: "count", value: 1.5, read: (output: HookOutput) => output.count("count"), came: "number" },
  ])(
    "of the wrong type ($field: $value) is left out, and told",
    ({ field, value, read: readField, came }) => {
      const { output, told } = read({ [field]: value });
      expect(readField(output) || undefined).toBeUndefined();
      expect(told).toEqual([
        expect.stringMatching(new RegExp(`^${field}: expected .*, got ${came}; it was left out$`)),
      ]);
    },
  );
});
