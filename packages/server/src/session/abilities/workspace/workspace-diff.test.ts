import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DiffMode, diffWorkspace } from "./workspace-diff.ts";

let home = "";
let repository = "";

const environment = () => ({ PATH: process.env.PATH, HOME: home });
const git = (...args: string[]) =>
  execFileSync("git", args, { cwd: repository, env: { ...environment(), LC_ALL: "C" }, stdio: "pipe" });
const put = (name: string, content: string | Buffer) => writeFile(join(repository, name), content);
const diff = (mode: DiffMode = "unstaged", more: object = {}) =>
  diffWorkspace({
    mode,
    workingDirectory: repository,
    mayRunGit: true,
    environment: environment(),
    confinement: undefined,
    signal: new AbortController().signal,
    ...more,
  });

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "workspace-diff-")));
  repository = join(home, "repository");
  await mkdir(repository);
  await writeFile(join(home, ".gitconfig"), "[user]\n\tname = n\n\temail = e@x\n");
  git("init", "-q", "-b", "main");
});
afterEach(() => rm(home, { recursive: true }));

async function commitThree(): Promise<void> {
  await put("kept.txt", "one\ntwo\nthree\n");
  await put("gone.txt", "bye\n");
  await put("moved here.txt", "a\nb\nc\nd\n");
  git("add", ".");
  git("commit", "-qm", "first");
}

test("changes since the last commit are told by file, with what git does not track as added", async () => {
  await commitThree();
  await put("kept.txt", "one\n2\nthree\n");
  await unlink(join(repository, "gone.txt"));
  git("mv", "moved here.txt", "moved there.txt");
  await mkdir(join(repository, "new"));
  await put("new/file ü.txt", "no newline");
  await put(".gitignore", "ignored\n");
  await put("ignored", "x");
  const found = await diff("unstaged", { workingDirectory: join(repository, "new") });
  expect(found).toMatchObject({ requestedMode: "unstaged", mode: "unstaged", isFallback: false });
  expect(found.changes.map(({ path, changeType, oldPath }) => ({ path, changeType, oldPath }))).toEqual([
    { path: "gone.txt", changeType: "deleted" },
    { path: "kept.txt", changeType: "modified" },
    { path: "moved there.txt", changeType: "renamed", oldPath: "moved here.txt" },
    { path: ".gitignore", changeType: "added" },
    { path: "new/file ü.txt", changeType: "added" },
  ]);
  expect(found.changes[1]?.diff).toContain("@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
  expect(found.changes[4]?.diff).toBe(
    "diff --git a/new/file ü.txt b/new/file ü.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new/file ü.txt\n@@ -0,0 +1,1 @@\n+no newline\n\\ No newline at end of file\n",
  );
});

test("before the first commit everything is added", async () => {
  await put("staged.txt", "s\n");
  git("add", "staged.txt");
  await put("other.txt", "");
  expect((await diff()).changes.map(({ path, changeType }) => `${changeType} ${path}`)).toEqual([
    "added staged.txt",
    "added other.txt",
  ]);
});

test("changes of white space alone can be left out", async () => {
  await commitThree();
  await put("kept.txt", "one\n  two\nthree\n");
  expect((await diff()).changes).toHaveLength(1);
  expect((await diff("unstaged", { ignoreWhitespace: true })).changes).toEqual([]);
});

test("a branch is compared with where it left the default branch", async () => {
  await commitThree();
  git("checkout", "-qb", "feature");
  await put("committed.txt", "c\n");
  git("add", ".");
  git("commit", "-qm", "second");
  await put("kept.txt", "changed\n");
  git("branch", "-q", "unrelated", "main");
  const found = await diff("branch");
  expect(found).toMatchObject({
    requestedMode: "branch",
    mode: "branch",
    baseBranch: "main",
    isFallback: false,
  });
  expect(found.changes.map(({ path }) => path)).toEqual(["committed.txt", "kept.txt"]);
});

test("without a default branch, or a record of the session's changes, the answer says that it fell back", async () => {
  git("checkout", "-qb", "trunk");
  await commitThree();
  await put("kept.txt", "changed\n");
  const branch = await diff("branch");
  expect(branch).toMatchObject({ requestedMode: "branch", mode: "unstaged", isFallback: true });
  expect(branch.changes).toHaveLength(1);
  expect(await diff("session")).toMatchObject({
    requestedMode: "session",
    mode: "unstaged",
    isFallback: true,
    unavailableReason: "file-change-tracking-disabled",
  });
});

test("large, binary and odd files are named and not quoted", async () => {
  await commitThree();
  await put("kept.txt", "long line\n".repeat(50_000));
  await put("large.txt", "x".repeat(300 * 1024));
  await put("binary.dat", Buffer.from([1, 0, 2]));
  await put("tool.sh", "#!/bin/sh\n");
  await chmod(join(repository, "tool.sh"), 0o755);
  await symlink("/etc/passwd", join(repository, "link"));
  const { changes } = await diff();
  const of = (path: string) => changes.find((change) => change.path === path);
  expect(of("kept.txt")).toEqual({ path: "kept.txt", changeType: "modified", diff: "", isTruncated: true });
  expect(of("large.txt")).toEqual({ path: "large.txt", changeType: "added", diff: "", isTruncated: true });
  expect(of("binary.dat")?.diff).toContain("Binary files /dev/null and b/binary.dat differ");
  expect(of("tool.sh")?.diff).toContain("new file mode 100755");
  // A link is shown, not followed.
  expect(of("link")?.diff).toContain(
    "new file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1,1 @@\n+/etc/passwd\n",
  );
});

describe("nothing has changed", () => {
  const nothing = { requestedMode: "unstaged", mode: "unstaged", changes: [], isFallback: false };
  test.each([
    ["outside a repository", () => ({ workingDirectory: home })],
    ["in a directory that is not there", () => ({ workingDirectory: join(home, "none") })],
    ["without git", () => ({ environment: { PATH: home } })],
    ["where git may not be run", () => ({ mayRunGit: false })],
  ])("%s", async (_title, more) => {
    await put("new.txt", "x");
    expect(await diff("unstaged", more())).toEqual(nothing);
  });
});

test("programs that the repository's configuration names are not run", async () => {
  await commitThree();
  const ran = join(home, "ran");
  for (const key of ["core.fsmonitor", "diff.external", "diff.d.command", "diff.d.textconv", "core.pager"])
    git("config", key, `sh -c 'touch ${ran}' --`);
  await put(".gitattributes", "* diff=d\n");
  await put("kept.txt", "changed\n");
  expect((await diff()).changes).toHaveLength(2);
  await expect(realpath(ran)).rejects.toMatchObject({ code: "ENOENT" });
});

test("no program runs that the repository's configuration names: filters, and transports for objects that are not there", async () => {
  await put("a.txt", "one\n");
  await put(".gitattributes", "a.txt filter=a.b=c\n");
  git("add", ".");
  git("commit", "-qm", "first");
  const program = join(home, "program");
  await writeFile(program, `#!/bin/sh\ntouch ${home}/ran\ncat\n`, { mode: 0o755 });
  for (const name of ["clean", "process"]) git("config", `filter.a.b=c.${name}`, program);
  git("config", "filter.a.b=c.required", "true");
  await put("a.txt", "two\n");
  expect((await diff()).changes).toMatchObject([{ path: "a.txt", diff: expect.stringContaining("+two") }]);
  const blob = git("rev-parse", "HEAD:a.txt").toString().trim();
  await rm(join(repository, ".git/objects", blob.slice(0, 2), blob.slice(2)), { force: true });
  git("config", "core.repositoryformatversion", "1");
  git("config", "extensions.partialClone", "origin");
  git("config", "remote.origin.promisor", "true");
  git("config", "remote.origin.url", home);
  git("config", "remote.origin.uploadpack", program);
  await diff();
  await expect(readFile(join(home, "ran"))).rejects.toThrow("ENOENT");
});

describe("of a repository that has to be within a directory", () => {
  const secret = "of another tenant";
  const other = () => join(home, "other");
  beforeEach(async () => {
    execFileSync("git", ["init", "-q", "-b", "main", other()], { env: environment() });
    await writeFile(join(other(), "secret.txt"), `${secret}\n`);
    for (const args of [
      ["add", "."],
      ["commit", "-qm", "x"],
    ])
      execFileSync("git", args, { cwd: other(), env: environment() });
  });
  const commitOfOther = () =>
    execFileSync("git", ["rev-parse", "HEAD"], { cwd: other(), env: environment() }).toString();
  const within = () => diff("unstaged", { confinement: { root: repository } });
  const own = (path: string) => join(repository, ".git", path);

  test("the changes are told as ever, with a .git file that leads to a place within it too", async () => {
    await put("a.txt", "a\n");
    expect((await within()).changes).toMatchObject([{ path: "a.txt" }]);
    git("commit", "-q", "--allow-empty", "-m", "x");
    git("worktree", "add", "-q", "tree");
    await put("tree/b.txt", "b\n");
    const workingDirectory = join(repository, "tree");
    expect(
      (await diff("unstaged", { confinement: { root: repository }, workingDirectory })).changes,
    ).toMatchObject([{ path: "b.txt" }]);
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      "a .git file",
      async () => {
        await rm(own("."), { recursive: true });
        await put(".git", `gitdir: ${other()}/.git\n`);
      },
    ],
    [
      "a .git link",
      async () => {
        await rm(own("."), { recursive: true });
        await symlink(join(other(), ".git"), join(repository, ".git"));
      },
    ],
    ["core.worktree", async () => git("config", "core.worktree", other())],
    [
      "alternates",
      async () => {
        await writeFile(own("objects/info/alternates"), `${other()}/.git/objects\n`);
        await writeFile(own("refs/heads/main"), commitOfOther());
      },
    ],
    [
      "objects that are a link",
      async () => {
        await rm(own("objects"), { recursive: true });
        await symlink(join(other(), ".git/objects"), own("objects"));
        await writeFile(own("refs/heads/main"), commitOfOther());
      },
    ],
    ["an index that is a link", async () => symlink(join(other(), ".git/index"), own("index"))],
    [
      "a working directory that is a link",
      async () => {
        await rm(repository, { recursive: true });
        await symlink(other(), repository);
      },
    ],
  ])("nothing of another one is told by way of %s", async (_, lead) => {
    await lead();
    await writeFile(join(other(), "new.txt"), `${secret}\n`);
    expect((await within()).changes).toEqual([]);
  });
});
