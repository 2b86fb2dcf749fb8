import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDiscoveryCache } from "./discovery-cache.ts";
import { discoverInstructions } from "./instructions.ts";
import { renderInstructions } from "./render-instructions.ts";

let base: string;
let repo: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "rightseat-instructions-")));
  repo = join(base, "repo");
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function write(files: Record<string, string>, root = repo): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const rule = (applyTo: string, text: string) =>
  `---\napplyTo: ${applyTo}\ndescription: About it\n---\n${text}`;

describe("discoverInstructions", () => {
  test("finds what home, repository, working directory and named directories say, in this order", async () => {
    const home = join(base, "home");
    const extra = join(base, "extra");
    await write({ "copilot-instructions.md": "H1", "instructions/h.instructions.md": "H2" }, home);
    await write({
      "AGENTS.md": "R-AGENTS",
      "CLAUDE.md": "R-CLAUDE",
      "GEMINI.md": "R-GEMINI",
      ".github/copilot-instructions.md": "R-COPILOT",
      ".github/instructions/all.instructions.md": rule("'**'", "R-ALL"),
      ".github/instructions/deep/ts.instructions.md": rule('"**/*.ts, **/*.{js,mjs}"', "R-TS"),
      ".github/instructions/readme.md": "not instructions",
      ".claude/rules/api.md": "---\npaths:\n  - api/**\n---\nR-API",
      "sub/AGENTS.md": "S-AGENTS",
      "sub/.github/copilot-instructions.md": "S-COPILOT",
      "sub/.github/instructions/all.instructions.md": "S-ALL",
      "sub/inner/AGENTS.md": "not in the way",
    });
    await write(
      {
        "AGENTS.md": "E-AGENTS",
        "plain.instructions.md": "E-PLAIN",
        "notes.md": "nothing",
        ".github/instructions/e.instructions.md": "E-RULE",
      },
      extra,
    );
    const { sources, warnings } = await discoverInstructions({
      workingDirectory: join(repo, "sub"),
      gitRoot: repo,
      home,
      directories: [extra],
    });
    expect(warnings).toEqual([]);
    expect(sources.map(({ id, sourcePath, type, location }) => [id, sourcePath, type, location])).toEqual([
      ["home-copilot", join(home, "copilot-instructions.md"), "home", "user"],
      [
        "vscode-instructions/instructions/h.instructions.md",
        join(home, "instructions/h.instructions.md"),
        "vscode",
        "user",
      ],
      ["repo-copilot", ".github/copilot-instructions.md", "repo", "repository"],
      ["cwd-copilot", "sub/.github/copilot-instructions.md", "repo", "working-directory"],
      ["model-agents-md", "AGENTS.md", "model", "repository"],
      ["model-claude-md", "CLAUDE.md", "model", "repository"],
      ["model-gemini-md", "GEMINI.md", "model", "repository"],
      ["cwd-model-sub-agents-md", "sub/AGENTS.md", "model", "working-directory"],
      [
        "vscode-instructions/.github/instructions/all.instructions.md",
        ".github/instructions/all.instructions.md",
        "vscode",
        "repository",
      ],
      [
        "vscode-instructions/.github/instructions/deep/ts.instructions.md",
        ".github/instructions/deep/ts.instructions.md",
        "vscode",
        "repository",
      ],
      ["vscode-instructions/.claude/rules/api.md", ".claude/rules/api.md", "vscode", "repository"],
      [
        "vscode-instructions/.github/instructions/all.instructions.md#sub/.github/instructions/all.instructions.md",
        "sub/.github/instructions/all.instructions.md",
        "vscode",
        "working-directory",
      ],
      [
        `external-agents-md/${join(extra, "AGENTS.md")}`,
        join(extra, "AGENTS.md"),
        "nested-agents",
        "repository",
      ],
      [
        "vscode-instructions/external/plain.instructions.md",
        join(extra, "plain.instructions.md"),
        "vscode",
        "repository",
      ],
      [
        "vscode-instructions/external/.github/instructions/e.instructions.md",
        join(extra, ".github/instructions/e.instructions.md"),
        "vscode",
        "repository",
      ],
    ]);
    expect(
      sources.filter((source) => source.applyTo).map(({ applyTo, description }) => [applyTo, description]),
    ).toEqual([
      [["**/*.ts", "**/*.{js,mjs}"], "About it"],
      [["api/**"], undefined],
    ]);
  });

  test("counts a file once, however many links lead to it", async () => {
    await write({ "AGENTS.md": "Once" });
    await symlink("AGENTS.md", join(repo, "CLAUDE.md"));
    const { sources } = await discoverInstructions({ workingDirectory: repo });
    expect(sources.map((source) => source.label)).toEqual(["AGENTS.md"]);
  });

  test("follows no link out of the repository, neither of a file nor of a directory", async () => {
    const outside = join(base, "outside");
    await write({ "secret.md": "SECRET", "x.instructions.md": "SECRET" }, outside);
    await mkdir(join(repo, ".github"), { recursive: true });
    await symlink(join(outside, "secret.md"), join(repo, "AGENTS.md"));
    await symlink(outside, join(repo, ".github/instructions"));
    await mkdir(join(repo, "sub"));
    await symlink(join(outside, "secret.md"), join(repo, "sub/GEMINI.md"));
    const { sources, warnings } = await discoverInstructions({
      workingDirectory: join(repo, "sub"),
      gitRoot: repo,
    });
    expect(sources).toEqual([]);
    expect(warnings).toEqual([
      `The instructions in AGENTS.md were left out: it is a link that leads out of ${repo}.`,
      `The instructions in sub/GEMINI.md were left out: it is a link that leads out of ${repo}.`,
      `The instructions in .github/instructions/x.instructions.md were left out: it is a link that leads out of ${repo}.`,
    ]);
  });

  test("reads regular files of text only, and no more of them than the limits", async () => {
    const long = `${"x".repeat(99)}\n`;
    await write({
      "CLAUDE.md": "a\0b",
      "GEMINI.md": long.repeat(700),
      ".github/copilot-instructions.md": " \n",
      ...Object.fromEntries(
        ["1", "2", "3", "4"].map((n) => [`.github/instructions/${n}.instructions.md`, long.repeat(600)]),
      ),
    });
    await promisify(execFile)("mkfifo", [join(repo, "AGENTS.md")]);
    const { sources, warnings } = await discoverInstructions({ workingDirectory: repo });
    expect(sources.map(({ label, content }) => [label, content.length])).toEqual([
      ["GEMINI.md", 65_500],
      ["1.instructions.md", 60_000],
      ["2.instructions.md", 60_000],
      ["3.instructions.md", 60_000],
    ]);
    expect(warnings).toEqual([
      "The instructions in AGENTS.md were left out: it is not a regular file.",
      "The instructions in CLAUDE.md were left out: it is not text.",
      "The instructions in GEMINI.md were cut: the file is larger than 65536 bytes.",
      "The instructions in .github/instructions/4.instructions.md were left out: all instructions together are larger than 262144 bytes.",
    ]);
  });

  test("finds nothing where nothing is", async () => {
    const { sources, warnings } = await discoverInstructions({ workingDirectory: join(base, "missing") });
    expect({ sources, warnings }).toEqual({ sources: [], warnings: [] });
  });
});

describe("createDiscoveryCache", () => {
  test("gives the same answer until a file comes, changes or goes, and looks no sooner than told", async () => {
    let clock = 0;
    const load = createDiscoveryCache(discoverInstructions, { trustMs: 10, now: () => clock });
    const query = { workingDirectory: repo };
    const contents = async () => (await load(query)).sources.map((source) => source.content);
    await write({ "AGENTS.md": "one" });
    const first = await load(query);
    clock += 10;
    expect(await load(query)).toBe(first);
    await write({ "AGENTS.md": "two, longer" });
    expect(await load(query)).toBe(first);
    clock += 10;
    expect(await contents()).toEqual(["two, longer"]);
    await write({ ".github/instructions/new.instructions.md": "new" });
    clock += 10;
    expect(await contents()).toEqual(["two, longer", "new"]);
    await write({ ".github/instructions/deep/er.instructions.md": "deeper" });
    clock += 10;
    expect(await contents()).toEqual(["two, longer", "deeper", "new"]);
    await rm(join(repo, "AGENTS.md"));
    clock += 10;
    expect(await contents()).toEqual(["deeper", "new"]);
  });
});

describe("renderInstructions", () => {
  test("quotes what is about everything, names what is about some files, and leaves out what is off", async () => {
    await write({
      "AGENTS.md": "Use tabs.\n",
      "CLAUDE.md": "off",
      ".github/instructions/a.instructions.md": rule("'**'", "Always."),
      ".github/instructions/b.instructions.md": rule("'**/*.ts'", "Typed."),
    });
    const { sources } = await discoverInstructions({ workingDirectory: repo });
    const text = renderInstructions({ sources, disabled: ["model-claude-md"], organization: "Be kind." });
    expect(text.split("\n\n").slice(1).join("\n\n")).toBe(`<instructions from="organization">
Be kind.
</instructions>

<instructions from="AGENTS.md">
Use tabs.
</instructions>

<instructions from=".github/instructions/a.instructions.md">
Always.
</instructions>

These files hold rules for parts of the project. Before you change a file that a pattern fits, read its rules:
- **/*.ts: .github/instructions/b.instructions.md (About it)`);
    expect(renderInstructions({ sources: [], organization: " " })).toBe("");
  });
});
