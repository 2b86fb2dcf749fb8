import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pathsOf, pathsOutside } from "../../permissions/paths.ts";
import { askShellPermission } from "./permission.ts";

/** `work` is the working directory; beside it, `out` with a secret, to which links in `work` lead. */
let root = "";
let work = "";
let out = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "shell-permission-")));
  [work, out] = [join(root, "work"), join(root, "out")];
  await mkdir(join(work, "sub/deep"), { recursive: true });
  await mkdir(join(out, "dir"), { recursive: true });
  await writeFile(join(out, "secret"), "s\n");
  await writeFile(join(root, "beside"), "s\n");
  for (const name of ["a.txt", "b.txt", "sub/c.txt"]) await writeFile(join(work, name), "x\n");
  await symlink(join(out, "secret"), join(work, "link"));
  await symlink("../../out/secret", join(work, "sub/inner"));
  await symlink(join(out, "dir"), join(work, "dirlink"));
  await symlink("../out/new", join(work, "dangling"));
  await symlink("a.txt", join(work, "same"));
});
afterEach(() => rm(root, { recursive: true }));

const ask = (command: string) => askShellPermission(command, "", work);

/** What it comes to once the names of all of its commands were approved. */
async function settled(command: string): Promise<"runs" | "outside" | "asked"> {
  const asked = await ask(command);
  if (asked.canOfferSessionApproval !== true) return "asked";
  return (await pathsOutside(pathsOf(asked), [work])).size > 0 ? "outside" : "runs";
}

describe("a command that is understood runs", () => {
  test.each([
    "cat a.txt",
    "cat *.txt",
    "cat sub/*.txt",
    "cat same",
    "ls sub/../a.txt",
    "cd sub && cat c.txt",
    "cd sub && cat ../a.txt && ls",
    "cd sub && cat c.txt ../a.txt | head -5",
    "mkdir x && cd x && touch y && cd .. && ls",
    "touch new.txt",
    "mkdir -p x/y && touch x/y/z",
    "diff a.txt b.txt",
    "echo ../out/secret",
    "grep -r x .",
  ])("%s", async (command) => expect(await settled(command)).toBe("runs"));
});

describe("a path that leads elsewhere is asked about", () => {
  test.each([
    "cat link",
    "cat ./link",
    "cat l*k",
    "cat l?nk",
    "cat [l]ink",
    "cat [!z]ink",
    "cat *",
    "cat */inner",
    "cat sub/i*",
    "cat s*/i*r",
    "cat sub/../link",
    "cat sub/../li*",
    "cd sub && cat inner",
    "cd sub && cat i*",
    "cd ./sub; cat inner",
    "cd sub; cd ..; cat link",
    "cd sub/deep && cat ../inner",
    "cd nothing; cat link",
    "cd sub && ls; cat link",
    "cd sub && ls; cat inner",
    "true || cd sub && cat ../beside",
    "true ||\n cd sub && cat ../beside",
    "cd sub | cat ../beside",
    "ls | cd sub && cat ../beside",
    "cd sub & cat ../beside",
    "cd sub && ls; cat ../beside",
    "cd sub || cat ../beside",
    "cd sub\ncat ../beside",
    "cd sub && cd deep && cat ../inner",
    "cat ../beside",
    "cat ../b*",
    "cat dirlink/../secret",
    "cat dirlink/../sec*",
    "cat dirlin?/../secret",
    "cd dirlink && ls",
    "cd dirlink && cat x",
    "cd .. && cat beside",
    "cat ~/x",
    "cat /etc/passwd",
    "cat /etc/pass*",
    "cat < link",
    "cat < ../beside",
    "touch dangling",
    "cp a.txt dangling",
    "tee dangling",
    "tee l*k",
    "wc -l /proc/self/environ",
    "cat /proc/self/cwd/a.txt",
    `cat /proc/${process.pid}/cwd/package.json`,
    "cat /dev/fd/3",
    "sort -k 1 link",
    "grep -e x link",
    "sed -n 1p link",
    "awk '{print}' link",
    "ls /dev/null/../../etc",
    "cat a.txt link",
    "echo *",
    "[ -s link ]",
    "find .. -name beside",
    "find ../out sub",
    "mkdir dirlink/new",
  ])("%s", async (command) => expect(await settled(command)).toBe("outside"));
});

describe("what depends on what is there is asked for when it is not certain", () => {
  test("names that can be taken for options", async () => {
    expect(await settled("sort *.txt")).toBe("runs");
    await writeFile(join(work, "-o.txt"), "");
    expect(await settled("sort *.txt")).toBe("asked");
    expect(await settled("sort ./*.txt")).toBe("runs");
  });

  test("directories where their files would be read", async () => {
    for (const command of ["diff sub a.txt", "diff sub sub", "cmp sub a.txt", "cp a.txt sub"])
      expect(await settled(command), command).toBe("asked");
  });

  test("more files than are looked at", async () => {
    await mkdir(join(work, "many"));
    await Promise.all(
      Array.from({ length: 4001 }, (_, index) => writeFile(join(work, "many", `${index}`), "")),
    );
    expect(await settled("cat many/*")).toBe("asked");
  });

  test("links in a ring", async () => {
    await symlink("ring", join(work, "ring"));
    expect(["runs", "asked"]).toContain(await settled("cat ring"));
  });
});

describe("git", () => {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: work, stdio: "ignore" });

  test.each([
    "tee .git/config < a.txt; git status",
    "cp a.txt .git/hooks/pre-commit && git commit -m x",
    "mkdir objects refs; tee HEAD config < a.txt; git status",
    "mv sub .git | git log",
    "touch new.txt && git status",
  ])("behind what changes files is asked about: %s", async (command) => {
    git("init", "-q");
    expect(await settled(command)).toBe("asked");
  });

  test("with commands of its own alone runs", async () => {
    git("init", "-q");
    expect(await settled("git add . && git commit -m x && git status")).toBe("runs");
  });

  test.each([2, 4])(
    "that would ask a submodule with its own configuration is asked about: index %i",
    async (version) => {
      const commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"];
      git("init", "-q");
      git("add", "a.txt");
      git("update-index", "--index-version", String(version));
      expect(await settled("git status")).toBe("runs");
      git("init", "-q", "sub");
      git("-C", "sub", "add", "c.txt");
      git("-C", "sub", ...commit);
      git("add", "sub");
      for (const command of ["git status", "git diff", "git add ."])
        expect(await settled(command)).toBe("asked");
    },
  );

  test("whose index is split, or no index, is asked about", async () => {
    git("init", "-q");
    await writeFile(join(work, ".git/index"), "");
    expect(await settled("git status")).toBe("asked");
    await rm(join(work, ".git/index"));
    await writeFile(join(work, ".git/sharedindex.1"), "");
    expect(await settled("git status")).toBe("asked");
  });

  test("is as harmless as the configuration of its repository", async () => {
    expect(await settled("git status")).toBe("runs");
    git("init", "-q");
    git("config", "user.name", "A B");
    git("config", "remote.origin.url", "https://example.com/a.git");
    expect(await settled("git status && git log -3 && git diff")).toBe("runs");
    expect((await ask("git status")).commands).toEqual([{ identifier: "git", readOnly: true }]);
    git("config", "core.fsmonitor", "touch x");
    expect(await settled("git status")).toBe("asked");
    expect((await ask("git status")).commands).toEqual([{ identifier: "git", readOnly: false }]);
  });

  test.each([
    ["diff.x.textconv", "cmd"],
    ["core.pager", "cmd"],
    ["include.path", "x"],
    ["filter.x.clean", "cmd"],
    ["alias.status", "!cmd"],
    ["core.hooksPath", "x"],
    ["core.worktree", "/"],
    ["gc.recentObjectsHook", "cmd"],
    ["gc.logExpiry", "x"],
  ])("is asked for with %s", async (name, value) => {
    git("init", "-q");
    git("config", name, value);
    expect(await settled("git status")).toBe("asked");
  });

  test("is asked for with hooks, and with links to other repositories", async () => {
    git("init", "-q");
    await writeFile(join(work, ".git/hooks/pre-commit"), "cmd", { mode: 0o755 });
    expect(await settled("git commit -m x")).toBe("asked");
    await rm(join(work, ".git/hooks/pre-commit"));
    expect(await settled("git commit -m x")).toBe("runs");
    await mkdir(join(work, ".git/objects/info"), { recursive: true });
    await writeFile(join(work, ".git/objects/info/alternates"), join(out, "objects"));
    expect(await settled("git log")).toBe("asked");
  });

  test.each(["objects/ab", "objects/pack", "objects/pack/x.pack"])(
    "is asked for where %s is a link: it may be another repository's",
    async (name) => {
      git("init", "-q");
      expect(await settled("git log")).toBe("runs");
      await rm(join(work, ".git", name), { recursive: true, force: true });
      await symlink(out, join(work, ".git", name));
      expect(await settled("git log")).toBe("asked");
    },
  );

  test("with an index that is full of what looks like submodules and is none runs", async () => {
    git("init", "-q");
    git("update-index", "--index-version", "2");
    const index = Buffer.alloc(1024 * 1024, Buffer.from([0, 0, 0xe0, 0, 1, 1, 1, 1]));
    index.write("DIRC", 0, "latin1");
    index.writeUInt32BE(2, 4);
    await writeFile(join(work, ".git/index"), index);
    expect(await settled("git status")).toBe("runs");
  });

  test("in a repository around the directory is about that one's path", async () => {
    execFileSync("git", ["init", "-q"], { cwd: root });
    expect(await settled("git status")).toBe("outside");
  });

  test("behind a cd may be another one's: also one without a working tree", async () => {
    git("init", "-q", "--bare", "sub/bare");
    expect(await settled("cd sub && git status")).toBe("asked");
    expect(await askShellPermission("git status", "", join(work, "sub/bare"))).toMatchObject({
      canOfferSessionApproval: false,
    });
  });
});

test("20,000 words behind xargs make a small question", async () => {
  const asked = await ask(`xargs ${"a ".repeat(20_000)}`);
  expect(JSON.stringify(asked).length).toBeLessThan(1_000_000);
  expect(asked.canOfferSessionApproval).toBe(false);
});
