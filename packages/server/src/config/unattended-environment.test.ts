import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "./load-config.ts";
import { unattendedEnvironment } from "./unattended-environment.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rightseat-unattended-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("git in the environment of commands", () => {
  const identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
  const env = () => unattendedEnvironment({ PATH: process.env["PATH"] ?? "", HOME: folder });
  const git = (...args: string[]) =>
    spawnSync("git", [...identity, ...args], { cwd: folder, env: env(), encoding: "utf8" });
  const head = () => git("log", "-1", "--format=%s").stdout.trim();
  beforeEach(() => {
    // A person's own choice would open a window, or wait for keys.
    writeFileSync(
      join(folder, ".gitconfig"),
      "[core]\n\teditor = sleep 600\n\tpager = sleep 600\n[sequence]\n\teditor = sleep 600\n",
    );
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "-m", "first");
  });

  test.each([
    ["commit", ["commit", "--allow-empty"]],
    ["commit --amend", ["commit", "--amend", "--allow-empty"]],
    ["tag -a", ["tag", "-a", "v1"]],
    ["rebase -i", ["rebase", "-i", "--root"]],
  ])("%s without a text fails, says how to do without an editor, and changes nothing", (_title, args) => {
    const { status, stderr } = git(...args);
    expect(status).not.toBe(0);
    expect(stderr).toContain("No editor can be used here");
    git("rebase", "--abort");
    expect([head(), git("tag").stdout]).toEqual(["first", ""]);
  });

  test("a text that is there is taken, and a command may bring an editor", () => {
    expect(git("commit", "--quiet", "--allow-empty", "-m", "second").status).toBe(0);
    execFileSync("git", [...identity, "commit", "--quiet", "--amend", "--allow-empty"], {
      cwd: folder,
      env: { ...env(), GIT_EDITOR: "sed -i.bak s/second/third/" },
    });
    expect(head()).toBe("third");
  });
});

test("what the operator passes counts, and nothing of its group is set beside it", () => {
  const config = (env: Record<string, string>, names: string) => {
    const read = loadConfig(["--headless", "--pass-environment", names], { COPILOT_HOME: folder, ...env });
    return read.kind === "serve" ? read.config.environment : {};
  };
  const without = config({ EDITOR: "nano" }, "SOMETHING");
  expect(without).toMatchObject({ GIT_PAGER: "cat", PAGER: "cat", GIT_TERMINAL_PROMPT: "0" });
  expect(without["EDITOR"]).toContain("No editor can be used here");
  const own = config({ EDITOR: "write-it", PAGER: "less", GIT_ASKPASS: "/ask" }, "EDITOR,GIT_ASKPASS");
  expect(own).toMatchObject({ EDITOR: "write-it", GIT_ASKPASS: "/ask", PAGER: "cat" });
  for (const name of ["GIT_EDITOR", "VISUAL", "SSH_ASKPASS"]) expect(own).not.toHaveProperty(name);
});
