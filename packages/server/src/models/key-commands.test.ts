import { describe, expect, test } from "vitest";
import { type CommandEnd, KeyCommands } from "./key-commands.ts";

const END: CommandEnd = { exitCode: 0, timedOut: false, stdout: "", stderr: "" };
const provider = (apiKeyCommand: unknown) => ({ baseUrl: "http://h", apiKeyCommand }) as never;

function commands(end: Partial<CommandEnd> | (() => Partial<CommandEnd>)) {
  const asked: string[] = [];
  const keys = new KeyCommands({
    isAllowed: true,
    run: async (command) => {
      asked.push(command);
      return { ...END, ...(typeof end === "function" ? end() : end) };
    },
  });
  return { keys, asked };
}

describe("a command that tells a key", () => {
  test("is run once for many calls, and again when its key is forgotten", async () => {
    let made = 0;
    const { keys, asked } = commands(() => ({ stdout: `  key-${++made}\n\n` }));
    const both = await Promise.all([keys.keyOf(provider("a")), keys.keyOf(provider("a"))]);
    expect([...both, await keys.keyOf(provider("a"))]).toEqual(["key-1", "key-1", "key-1"]);
    keys.forget("a");
    expect(await keys.keyOf(provider("a"))).toBe("key-2");
    expect(await keys.keyOf(provider("b"))).toBe("key-3");
    expect(asked).toEqual(["a", "a", "b"]);
  });

  test("goes before a key that is given beside it", async () => {
    const { keys } = commands({ stdout: "told" });
    expect(await keys.keyOf({ baseUrl: "http://h", apiKey: "given", apiKeyCommand: "a" })).toBe("told");
    expect(await keys.keyOf({ baseUrl: "http://h", apiKey: "given" })).toBe("given");
  });

  test.each([
    [{ exitCode: 3, stderr: "sealed\n", stdout: "secret" }, "ended with exit code 3: sealed."],
    [{ exitCode: undefined }, "was ended by a signal."],
    [{ timedOut: true }, "was ended after 30 s."],
    [{ stdout: " \n" }, "printed no key."],
    [{ stdout: "secret\nsecond line" }, "printed what is no key: expected one line"],
    [{ stdout: "s".repeat(20_000) }, "printed what is no key: expected one line of at most 16384"],
  ])("that ends with %j fails the call, and is asked again by the next", async (end, message) => {
    const { keys, asked } = commands(end);
    const error = await keys.keyOf(provider("a")).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "authentication", message: expect.stringContaining(message) });
    expect((error as Error).message).not.toContain("secret");
    await expect(keys.keyOf(provider("a"))).rejects.toThrow();
    expect(asked).toHaveLength(2);
  });

  test.each(["", "  ", 5, ["a"], "a\0b"])("is refused as %j", (command) => {
    expect(() => commands({}).keys.check("provider", provider(command))).toThrow(
      "provider.apiKeyCommand: expected a command for bash",
    );
  });

  test("is refused by name where the operator did not agree", () => {
    const keys = new KeyCommands({ isAllowed: false, run: async () => END });
    expect(() => keys.check("providers[1]", provider("a"))).toThrow("RIGHTSEAT_ALLOW_API_KEY_COMMANDS=true");
    expect(() => keys.check("providers[1]", { baseUrl: "http://h", apiKey: "k" })).not.toThrow();
  });
});
