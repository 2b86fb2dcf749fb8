import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discoverAgents } from "./agents.ts";

let base: string;
let repo: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "rightseat-agents-")));
  repo = join(base, "repo");
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function write(files: Record<string, string>, root = repo): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const agent = (attributes: string, prompt = "Do it.") => `---\n${attributes}\n---\n\n${prompt}\n`;

describe("discoverAgents", () => {
  test("reads what files say of their agents", async () => {
    await write({
      ".github/agents/reviewer.agent.md": agent(
        "name: Reviewer\ndescription: Reviews\ntools: [view, grep]\nmodel: gpt-5\ninfer: false",
      ),
      ".claude/agents/helper.md": agent(
        "description: Helps\ntools: Read, Bash\nmodel: inherit\nuser-invocable: false",
      ),
    });
    const { agents, errors } = await discoverAgents({ workingDirectory: repo });
    expect(errors).toEqual([]);
    expect(agents).toEqual([
      {
        id: "helper",
        name: "helper",
        description: "Helps",
        prompt: "Do it.",
        path: join(repo, ".claude/agents/helper.md"),
        source: "project",
        tools: ["Read", "Bash"],
        infer: true,
        userInvocable: false,
      },
      {
        id: "reviewer",
        name: "Reviewer",
        description: "Reviews",
        prompt: "Do it.",
        path: join(repo, ".github/agents/reviewer.agent.md"),
        source: "project",
        tools: ["view", "grep"],
        model: "gpt-5",
        infer: false,
        userInvocable: true,
      },
    ]);
  });

  test("takes the project's agent before the user's of the same id, and the nearest of the project's", async () => {
    const home = join(base, "home");
    await write(
      { "agents/a.md": agent("description: home"), "agents/b.md": agent("description: home") },
      home,
    );
    await write({
      ".github/agents/a.md": agent("description: root"),
      "sub/.github/agents/a.md": agent("description: sub"),
    });
    const query = { workingDirectory: join(repo, "sub"), gitRoot: repo, home };
    const { agents } = await discoverAgents(query);
    expect(agents.map(({ id, source, description }) => [id, source, description])).toEqual([
      ["b", "user", "home"],
      ["a", "project", "sub"],
    ]);
    expect((await discoverAgents({ workingDirectory: repo })).agents.map((one) => one.id)).toEqual(["a"]);
  });

  test("says which files define none, and follows no link out of the repository", async () => {
    await write({ "secret.md": agent("description: outside") }, join(base, "outside"));
    await write({
      ".github/agents/1-none.md": "No front matter",
      ".github/agents/2-empty.md": agent("description: x", " "),
      ".github/agents/3-large.md": agent("description: x", "x".repeat(70_000)),
      ".github/agents/notes.txt": "not looked at",
    });
    await symlink(join(base, "outside/secret.md"), join(repo, ".github/agents/4-link.md"));
    const { agents, errors } = await discoverAgents({ workingDirectory: repo });
    expect(agents).toEqual([]);
    const at = (name: string) => join(repo, ".github/agents", name);
    expect(errors).toEqual([
      `${at("1-none.md")}: expected front matter with a 'description'`,
      `${at("2-empty.md")}: expected a prompt below the front matter`,
      `${at("3-large.md")}: it is larger than 65536 bytes`,
      `${at("4-link.md")}: it is a link that leads out of ${repo}`,
    ]);
  });
});
