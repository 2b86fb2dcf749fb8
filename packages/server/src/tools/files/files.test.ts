import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBuiltInTools } from "../built-in.ts";
import type { Tool, ToolContext } from "../tool.ts";

let home = "";
let directory = "";
let tools: readonly Tool[] = [];

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "file-tools-")));
  directory = join(home, "work");
  await mkdir(directory);
  tools = createBuiltInTools({
    sessionId: "s",
    workingDirectory: () => directory,
    largeOutputDirectory: () => undefined,
    environment: () => ({}),
  }).tools;
});
afterEach(() => rm(home, { recursive: true }));

const at = (name: string) => join(directory, name);
const tool = (name: string) => tools.find((candidate) => candidate.definition.name === name)!;
const newContext = (): ToolContext => ({
  sessionId: "s",
  toolCallId: "t",
  signal: new AbortController().signal,
  workingDirectory: directory,
  onOutput: () => {},
  ask: async () => ({ allowed: false, message: "nobody is asked here" }),
});
const call = (name: string, args: Record<string, unknown>, context = newContext()) =>
  tool(name).run(args, context);
const ask = (name: string, args: Record<string, unknown>, context = newContext()) =>
  tool(name).permission!(args, context);

describe("view", () => {
  test("numbers the lines of a file, the one behind the last newline included", async () => {
    await writeFile(at("a.txt"), "Hi Universe\nGoodbye World\n");
    expect(await call("view", { path: "a.txt" })).toEqual({
      resultType: "success",
      text: "1. Hi Universe\n2. Goodbye World\n3. ",
    });
    await writeFile(at("b.txt"), "one\r\ntwo");
    expect((await call("view", { path: at("b.txt") })).text).toBe("1. one\n2. two");
    await writeFile(at("c.txt"), "");
    expect((await call("view", { path: "c.txt" })).text).toBe("1. ");
  });

  test("shows a range of lines, and says when the file is shorter", async () => {
    await writeFile(at("lines.txt"), "line1\nline2\nline3\nline4\nline5\n");
    const show = async (view_range: unknown) => (await call("view", { path: "lines.txt", view_range })).text;
    expect(await show([2, 4])).toBe("2. line2\n3. line3\n4. line4");
    expect(await show("[5, -1]")).toBe("5. line5\n6. ");
    expect(await show([6, 9])).toBe("6. ");
    expect(await show([7, 9])).toBe(`${at("lines.txt")} has only 6 lines; view_range starts at 7.`);
    await expect(show([3, 2])).rejects.toThrow('"view_range" must be [first, last]');
  });

  test("reads parts of files of any size, across chunks, and cuts what is too much", async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `${index + 1}ä`);
    await writeFile(at("big.txt"), lines.join("\n"));
    const { text } = await call("view", { path: "big.txt", view_range: [90_000, 90_002] });
    expect(text).toBe("90000. 90000ä\n90001. 90001ä\n90002. 90002ä");
    const all = (await call("view", { path: "big.txt" })).text;
    expect(all.length).toBeLessThan(150_000);
    expect(all).toMatch(
      /\n\(Cut in line (\d+): too long to show at once. Use view_range \[\1, -1\] for what follows\.\)$/,
    );
    await writeFile(at("line.txt"), "x".repeat(1_000_000));
    expect((await call("view", { path: "line.txt" })).text.length).toBeLessThan(60_000);
  });

  test("gives images to the model, and refuses other binary files and what is no file", async () => {
    const png = Buffer.from("89504e470d0a1a0a0000000d", "hex");
    await writeFile(at("a.png"), png);
    expect(await call("view", { path: "a.png" })).toEqual({
      resultType: "success",
      text: "Viewed image file successfully.",
      images: [
        {
          mimeType: "image/png",
          base64: png.toString("base64"),
          description: expect.stringContaining("Image file at path "),
        },
      ],
    });
    await writeFile(at("b.bin"), Buffer.from([1, 0, 2]));
    expect((await call("view", { path: "b.bin" })).error?.code).toBe("binary_file");
    execFileSync("mkfifo", [at("pipe")]);
    await expect(call("view", { path: "pipe" })).rejects.toThrow("is not a regular file");
    await writeFile(at("latin.txt"), Buffer.from("caf\xe9", "latin1"));
    expect((await call("view", { path: "latin.txt" })).text).toBe("1. caf\ufffd");
  });

  test("lists directories two levels deep", async () => {
    await mkdir(at("src/deep/deeper"), { recursive: true });
    await mkdir(at("node_modules/x"), { recursive: true });
    for (const name of ["readme.txt", ".hidden", "src/a.ts", "src/deep/b.ts"]) await writeFile(at(name), "");
    expect((await call("view", { path: "." })).text).toBe(
      "node_modules/\nreadme.txt\nsrc/\nsrc/a.ts\nsrc/deep/",
    );
  });

  test("says when there is nothing", async () => {
    const text = `Path ${at("no.txt")} does not exist. Please provide a valid path.`;
    expect(await call("view", { path: at("no.txt") })).toEqual({
      resultType: "failure",
      text,
      error: { message: text, code: "not_found" },
    });
  });

  test("asks with the path behind links, and does not follow one that changes after that", async () => {
    await writeFile(at("ok.txt"), "ok");
    await writeFile(join(home, "secret.txt"), "secret");
    await symlink("ok.txt", at("link"));
    const context = newContext();
    expect(await ask("view", { path: "link" }, context)).toEqual({
      kind: "read",
      intention: `View ${at("link")}`,
      path: at("link"),
      resolvedPath: at("ok.txt"),
    });
    await rm(at("link"));
    await symlink("../secret.txt", at("link"));
    await expect(call("view", { path: "link" }, context)).rejects.toThrow("now leads elsewhere");
    expect(await ask("view", { path: "link" })).toEqual({
      kind: "read",
      intention: `View ${at("link")}`,
      path: at("link"),
      resolvedPath: join(home, "secret.txt"),
    });
  });
});

describe("create", () => {
  test("makes a file and its directories", async () => {
    const { text, detailedText } = await call("create", {
      path: at("new/file.txt"),
      file_text: "Created by test",
    });
    expect(text).toBe(`Created file ${at("new/file.txt")} with 15 characters`);
    expect(detailedText).toBe(
      `--- /dev/null\n+++ ${at("new/file.txt")}\n@@ -0,0 +1,1 @@\n+Created by test\n\\ No newline at end of file`,
    );
    expect(await readFile(at("new/file.txt"), "utf8")).toBe("Created by test");
  });

  test("refuses what exists, a link to nowhere included", async () => {
    await writeFile(at("a.txt"), "kept");
    await symlink("../outside.txt", at("dangling"));
    for (const path of ["a.txt", "dangling"]) {
      expect((await call("create", { path, file_text: "x" })).text).toContain("exists already");
    }
    expect(await readFile(at("a.txt"), "utf8")).toBe("kept");
    expect(await readdir(home)).toEqual(["work"]);
  });

  test("asks to write", async () => {
    await symlink("..", at("up"));
    expect(await ask("create", { path: "up/x.txt", file_text: "hi\n" })).toEqual({
      kind: "write",
      intention: expect.stringMatching(/^Create \/.+/),
      fileName: at("up/x.txt"),
      resolvedPath: join(home, "x.txt"),
      diff: `--- /dev/null\n+++ ${at("up/x.txt")}\n@@ -0,0 +1,1 @@\n+hi`,
      newFileContents: "hi\n",
      fileEdits: [{ after: { path: join(home, "x.txt"), content: "hi\n" } }],
      canOfferSessionApproval: true,
    });
    await expect(ask("create", { path: "a\0b", file_text: "" })).rejects.toThrow("NUL");
    await expect(ask("create", { path: "a" })).rejects.toThrow('"file_text" is required');
  });
});

describe("edit", () => {
  const edit = (old_str: string, new_str?: string) => call("edit", { path: "a.txt", old_str, new_str });

  test("replaces the one match, in place", async () => {
    await writeFile(at("a.txt"), "Hello World\nGoodbye World\n");
    await chmod(at("a.txt"), 0o741);
    const { ino } = await stat(at("a.txt"));
    const { text, detailedText } = await edit("Hello World", "Hi Universe");
    expect(text).toBe(`File ${at("a.txt")} updated with changes.`);
    expect(detailedText).toBe(
      `--- ${at("a.txt")}\n+++ ${at("a.txt")}\n@@ -1,2 +1,2 @@\n-Hello World\n+Hi Universe\n Goodbye World`,
    );
    expect(await readFile(at("a.txt"), "utf8")).toBe("Hi Universe\nGoodbye World\n");
    const after = await stat(at("a.txt"));
    expect([after.ino, after.mode & 0o777]).toEqual([ino, 0o741]);
    await edit("Hi Universe\n");
    expect(await readFile(at("a.txt"), "utf8")).toBe("Goodbye World\n");
  });

  test("says what is wrong when there is not one match", async () => {
    await writeFile(at("a.txt"), "x = 1\ny  = 2\nx = 1\n");
    expect((await edit("x = 1", "")).text).toBe(
      `${at("a.txt")} was not changed: old_str is in it 2 times, at lines 1, 3. Include more of the text around the one that is meant.`,
    );
    expect((await edit("y = 2", "")).text).toContain("with other spaces or line breaks");
    expect((await edit("z", "")).text).toContain("old_str is not in it. View the file");
    await expect(edit("x", "x")).rejects.toThrow("are the same");
    await expect(edit("", "x")).rejects.toThrow('"old_str" is required');
    expect((await call("edit", { path: "no", old_str: "a", new_str: "b" })).error?.code).toBe("not_found");
    expect(await readFile(at("a.txt"), "utf8")).toBe("x = 1\ny  = 2\nx = 1\n");
  });

  test("keeps line ends and the byte order mark, and refuses what is not UTF-8", async () => {
    await writeFile(at("a.txt"), "\ufeffone\r\ntwo\r\nthree");
    await edit("one\ntwo", "1\n2\n2.5");
    expect(await readFile(at("a.txt"), "utf8")).toBe("\ufeff1\r\n2\r\n2.5\r\nthree");
    await writeFile(at("a.txt"), Buffer.from("a\xe9b", "latin1"));
    expect((await edit("a", "b")).error?.code).toBe("binary_file");
  });

  test("edits of one file side by side all happen", async () => {
    await writeFile(at("a.txt"), Array.from({ length: 20 }, (_, index) => `<${index}>`).join(""));
    await Promise.all(Array.from({ length: 20 }, (_, index) => edit(`<${index}>`, `${index},`)));
    expect(await readFile(at("a.txt"), "utf8")).toBe(
      Array.from({ length: 20 }, (_, index) => `${index},`).join(""),
    );
  });

  test("asks with a diff of the lines around the change", async () => {
    await writeFile(at("a.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    expect(await ask("edit", { path: "a.txt", old_str: "5\n", new_str: "five\n5.5\n" })).toEqual({
      kind: "write",
      intention: expect.stringMatching(/^Edit \/.+/),
      fileName: at("a.txt"),
      resolvedPath: at("a.txt"),
      diff: `--- ${at("a.txt")}\n+++ ${at("a.txt")}\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+5.5\n 6\n 7\n 8`,
      fileEdits: [
        {
          before: { path: at("a.txt"), content: "1\n2\n3\n4\n5\n6\n7\n8\n9\n" },
          after: { path: at("a.txt"), content: "1\n2\n3\n4\nfive\n5.5\n6\n7\n8\n9\n" },
        },
      ],
      canOfferSessionApproval: true,
    });
  });

  test("asks with the diff alone of a file that is large, not text, or lacks the text", async () => {
    const edit = { path: "a.txt", old_str: "a", new_str: "b" };
    for (const content of [`a${"x".repeat(64 * 1024)}`, Buffer.from([0x61, 0xff]), "a a"]) {
      await writeFile(at("a.txt"), content);
      const asked = await ask("edit", edit);
      expect(asked).toHaveProperty("diff");
      expect(asked).not.toHaveProperty("fileEdits");
    }
  });

  test("names the file that it changed, as create does, and none when it did not", async () => {
    await writeFile(at("a.txt"), "one");
    await symlink("a.txt", at("link"));
    const change = { path: "link", old_str: "one", new_str: "two" };
    const edits = async (tool: string, args: Record<string, unknown>) => (await call(tool, args)).fileEdits;
    expect(await edits("edit", change)).toEqual([{ kind: "edit", path: at("a.txt") }]);
    expect(await edits("edit", change)).toBeUndefined();
    const made = { path: "new.txt", file_text: "" };
    expect(await edits("create", made)).toEqual([{ kind: "create", path: at("new.txt") }]);
    expect(await edits("create", made)).toBeUndefined();
  });
});
