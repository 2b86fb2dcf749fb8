/** The types of the built package, as compilers of all kinds of programs find them. */
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rightseat-types-"));
  for (const name of ["@types/node", "undici-types", "@rightseat/sdk"]) {
    const path = join(folder, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(MODULES, name), path);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const STRICT: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2023,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  noEmit: true,
  types: ["node"],
};

/** What the compiler says of files that stand in a program's folder, by their names: `line: words`. */
function problemsOf(files: Record<string, string>, options: ts.CompilerOptions): string[] {
  const texts = new Map(Object.entries(files).map(([name, text]) => [join(folder, name), text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.getCurrentDirectory = () => folder;
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = texts.get(path);
    if (text === undefined) return getSourceFile.call(host, path, languageVersion, ...rest);
    return ts.createSourceFile(path, text, languageVersion);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName.slice(folder.length + 1)} ${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

const NODE10 = { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 };
const BUNDLER = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const EXACT = { exactOptionalPropertyTypes: true };

const IMPORT =
  'import { CopilotClient, defineTool, RuntimeConnection, type SessionConfig } from "@rightseat/sdk";';
const PROGRAM = `${IMPORT}
export async function main(config: SessionConfig): Promise<string> {
  const client = new CopilotClient({ connection: RuntimeConnection.forUri("localhost:1") });
  const tool = defineTool<{ city: string }>("t", { parameters: { type: "object" }, handler: ({ city }) => city });
  const session = await client.createSession({ ...config, tools: [tool] });
  for await (const event of session.events({ types: ["assistant.message", "session.error"] })) {
    if (event.type === "session.error") throw new Error(event.data.message);
    return event.data.content;
  }
  const { mode } = { mode: await session.rpc.mode.get() };
  return (await session.sendAndWait("hello"))?.data.content ?? mode;
}
`;

describe.each<[string, ts.CompilerOptions, string[]]>([
  ["node10", { ...EXACT, ...NODE10 }, ["a.ts"]],
  ["node16", { ...EXACT, module: ts.ModuleKind.Node16 }, ["a.mts", "a.cts"]],
  ["nodenext", { ...EXACT, module: ts.ModuleKind.NodeNext, skipLibCheck: false }, ["a.mts", "a.cts"]],
  ["bundler", { ...EXACT, ...BUNDLER }, ["a.ts"]],
])("under %s, with exact optional properties", (_name, options, names) => {
  test("a program compiles, and what does not exist is found", () => {
    const wrong = names.map((name) => name.replace("a.", "wrong."));
    const files = Object.fromEntries([
      ...names.map((name) => [name, PROGRAM]),
      ...wrong.map((name) => [name, WRONG]),
    ]);
    const lines = WRONG.split("\n").flatMap((line, index) => (line.includes("// wrong") ? [index + 1] : []));
    const problems = problemsOf(files, { skipLibCheck: true, ...STRICT, ...options });
    const found = problems.map((problem) => problem.slice(0, problem.indexOf(":")));
    const expected = wrong.flatMap((name) => lines.map((line) => `${name} ${line}`));
    expect(found.sort(), problems.join("\n")).toEqual(expected.sort());
  }, 60_000);
});

const WRONG = `import type { CopilotSession } from "@rightseat/sdk";
export async function main(session: CopilotSession): Promise<void> {
  session.events({ types: ["asistant.message"] }); // wrong
  for await (const { data } of session.events({ types: ["assistant.message"] })) {
    void data.content.length;
    void data.errorType; // wrong
  }
  for await (const event of session.events()) {
    if (event.type === "no.such.type") return; // wrong
  }
  await session.rpc.mode.set({ mode: "no such mode" }); // wrong
}
`;
