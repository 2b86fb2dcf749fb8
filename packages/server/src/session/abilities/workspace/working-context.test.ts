import { execFileSync } from "node:child_process";
import { chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWorkingContextResolver, parseRemoteUrl, resolveWorkingContext } from "./working-context.ts";

let home = "";
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "working-context-")));
});
afterEach(() => rm(home, { recursive: true }));

const env = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.invalid",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.invalid",
};
const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: "pipe" }).trim();
const read = (cwd: string) => createWorkingContextResolver()(cwd);

async function createRepository(name: string): Promise<string> {
  const root = join(home, name);
  await mkdir(join(root, "deep/er"), { recursive: true });
  git(root, "init", "--quiet", "--initial-branch", "main");
  return root;
}

describe("resolveWorkingContext", () => {
  test("a directory without git, and one that is missing, have just their path", async () => {
    expect(await resolveWorkingContext(home)).toEqual({ cwd: home });
    expect(await resolveWorkingContext(join(home, "nowhere"))).toEqual({ cwd: join(home, "nowhere") });
  });

  test("a repository is found from below and through links; loose and packed refs are read", async () => {
    const root = await createRepository("repo");
    expect(await read(root)).toEqual({ cwd: root, gitRoot: root, branch: "main" });
    git(root, "commit", "--quiet", "--allow-empty", "-m", "one");
    git(root, "checkout", "--quiet", "-b", "feature/one");
    git(root, "remote", "add", "upstream", "https://github.com/other/thing.git");
    git(root, "remote", "add", "origin", "git@github.com:octo/cat.git");
    const expected = {
      gitRoot: root,
      repository: "octo/cat",
      hostType: "github",
      repositoryHost: "github.com",
      branch: "feature/one",
      headCommit: git(root, "rev-parse", "HEAD"),
    };
    expect(await read(join(root, "deep/er"))).toEqual({ cwd: join(root, "deep/er"), ...expected });
    git(root, "pack-refs", "--all");
    await symlink(join(root, "deep"), join(home, "link"));
    expect(await read(join(home, "link"))).toEqual({ cwd: join(home, "link"), ...expected });
  });

  test("a detached HEAD has a commit and no branch", async () => {
    const root = await createRepository("repo");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "one");
    git(root, "checkout", "--quiet", "--detach");
    expect(await read(root)).toEqual({
      cwd: root,
      gitRoot: root,
      headCommit: git(root, "rev-parse", "HEAD"),
    });
  });

  test("a worktree has its own branch and its repository's remote", async () => {
    const root = await createRepository("repo");
    git(root, "commit", "--quiet", "--allow-empty", "-m", "one");
    git(root, "remote", "add", "origin", "https://user:secret@acme.ghe.com/octo/cat");
    git(root, "worktree", "add", "--quiet", "-b", "side", "../tree");
    expect(await read(join(home, "tree"))).toEqual({
      cwd: join(home, "tree"),
      gitRoot: join(home, "tree"),
      repository: "octo/cat",
      hostType: "github",
      repositoryHost: "acme.ghe.com",
      branch: "side",
      headCommit: git(root, "rev-parse", "HEAD"),
    });
  });

  test("a .git without a repository is walked past, and pipes in its place do not block", async () => {
    const root = await createRepository("repo");
    await mkdir(join(root, "deep/.git"));
    expect((await read(join(root, "deep/er"))).gitRoot).toBe(root);
    await mkdir(join(home, "odd/.git"), { recursive: true });
    execFileSync("mkfifo", [join(home, "odd/.git/HEAD")]);
    expect(await read(join(home, "odd"))).toEqual({ cwd: join(home, "odd") });
    await writeFile(join(root, "deep/.git/HEAD"), "ref: refs/heads/../../../secret\n");
    expect(await read(join(root, "deep"))).toEqual({ cwd: join(root, "deep"), gitRoot: join(root, "deep") });
  });

  test.runIf(process.getuid?.() === 0)(
    "a .git that another user has put above somebody's directory is not believed; one of the directory's owner is",
    async () => {
      const root = await createRepository("repo");
      const deep = join(root, "deep");
      await chown(join(root, ".git"), 4711, 4711);
      expect(await read(deep)).toEqual({ cwd: deep });
      await chown(deep, 4711, 4711);
      expect((await read(deep)).gitRoot).toBe(root);
      await chown(deep, 4712, 4712);
      expect(await read(deep)).toEqual({ cwd: deep });
    },
  );

  test.each<[string, (own: string, other: string) => Promise<unknown>]>([
    ["a .git file", (own, other) => writeFile(join(own, ".git"), `gitdir: ${other}/.git\n`)],
    ["a .git link", (own, other) => symlink(join(other, ".git"), join(own, ".git"))],
    [
      "a common directory",
      async (own, other) => {
        await mkdir(join(own, ".git"));
        await writeFile(join(own, ".git/commondir"), `${other}/.git\n`);
        await writeFile(join(own, ".git/HEAD"), "ref: refs/heads/secret\n");
      },
    ],
    [
      "links",
      async (own, other) => {
        await mkdir(join(own, ".git"));
        for (const name of ["HEAD", "config", "refs"])
          await symlink(join(other, ".git", name), join(own, ".git", name));
      },
    ],
  ])("confined: nothing is read of a repository elsewhere by way of %s", async (_, lead) => {
    const [own, other] = [join(home, "own"), join(home, "other")];
    for (const directory of [own, other]) await mkdir(directory);
    git(other, "init", "--quiet", "--initial-branch", "secret");
    git(other, "config", "remote.origin.url", "https://github.com/secret/name");
    git(other, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "--quiet", "--allow-empty", "-m", "x");
    await lead(own, other);
    const resolver = createWorkingContextResolver();
    const known = (await resolver(own)).branch ?? (await resolver(own)).headCommit;
    expect(known).toBeDefined();
    expect(Object.keys(await resolver(own, { root: own })).filter((key) => key !== "gitRoot")).not.toContain(
      "headCommit",
    );
    expect((await resolver(own, { root: own })).repository).toBeUndefined();
    expect((await resolver(own, {})).headCommit).toBeUndefined();
  });

  test("an answer is given again until its time is up", async () => {
    let now = 0;
    const resolver = createWorkingContextResolver({ cacheMs: 100, now: () => now });
    expect(await resolver(home)).toEqual({ cwd: home });
    git(home, "init", "--quiet", "--initial-branch", "main");
    now = 99;
    expect(await resolver(home)).toEqual({ cwd: home });
    now = 100;
    expect(await resolver(home)).toEqual({ cwd: home, gitRoot: home, branch: "main" });
  });
});

describe("parseRemoteUrl", () => {
  const github = (repositoryHost: string) => ({ repository: "octo/cat", hostType: "github", repositoryHost });
  const azure = (repositoryHost: string, repository = "org/my project/repo") => ({
    repository,
    hostType: "ado",
    repositoryHost,
  });
  test.each([
    ["https://github.com/octo/cat.git", github("github.com")],
    ["https://user:p%40ss@github.com/octo/cat/", github("github.com")],
    ["git@github.com:octo/cat.git", github("github.com")],
    ["github.com:octo/cat", github("github.com")],
    ["ssh://git@ssh.github.com:443/octo/cat.git", github("ssh.github.com")],
    ["git@github.acme.test:octo/cat.git", github("github.acme.test")],
    ["https://org@dev.azure.com/org/my%20project/_git/repo", azure("dev.azure.com")],
    ["git@ssh.dev.azure.com:v3/org/my%20project/repo", azure("ssh.dev.azure.com")],
    ["https://org.visualstudio.com/DefaultCollection/my%20project/_git/repo", azure("org.visualstudio.com")],
    ["org@vs-ssh.visualstudio.com:v3/org/my%20project/repo", azure("vs-ssh.visualstudio.com")],
    ["https://dev.azure.com/org/_git/repo", azure("dev.azure.com", "org/repo/repo")],
    ["https://gitlab.com/group/name.git", { repository: "group/name", repositoryHost: "gitlab.com" }],
    ["https://gitlab.com/group/sub/name.git", { repositoryHost: "gitlab.com" }],
    ["/srv/git/cat.git", {}],
    ["../cat.git", {}],
    ["C:\\git\\cat", {}],
    ["file:///srv/git/cat.git", {}],
    [undefined, {}],
  ])("%s", (url, expected) => {
    expect(parseRemoteUrl(url)).toEqual(expected);
  });
});
