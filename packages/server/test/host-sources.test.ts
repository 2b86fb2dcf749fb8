/** Agents and instructions of files, asked for without a session. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let place: TempHome;
let server: TestServer;
let client: WireClient;
const at = (...names: string[]) => join(place.path, ...names);
const write = async (path: string, text: string) => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};
const agent = (description: string) => `---\ndescription: ${description}\n---\nDo it.\n`;

beforeAll(async () => {
  place = await tempHome();
  server = await startServer(at("home"));
  client = await server.connect();
  await mkdir(at("repo", ".git"), { recursive: true });
  await write(at("repo", ".git", "HEAD"), "ref: refs/heads/main\n");
  await write(at("home", "agents", "mine.md"), agent("Mine"));
  await write(at("repo", ".github", "agents", "tester.agent.md"), agent("Tests"));
  await write(at("other", ".claude", "agents", "tester.md"), agent("Tests otherwise"));
});
afterAll(async () => {
  await client.close();
  await server.shutdown();
  await place[Symbol.asyncDispose]();
});

describe("agents", () => {
  const names = async (params: object) =>
    (await client.request("agents.discover", params)).agents.map(
      ({ source, id, description }: Record<string, string>) => `${source} ${id}: ${description}`,
    );

  test("are the user's, and those of the projects that are named", async () => {
    expect(await names({})).toEqual(["user mine: Mine"]);
    expect(await names({ excludeHostAgents: true })).toEqual([]);
    const projectPaths = [at("repo"), at("other"), at("nowhere")];
    expect(await names({ projectPaths })).toEqual([
      "user mine: Mine",
      "project tester: Tests",
      "project tester: Tests otherwise",
    ]);
    const { agents } = await client.request("agents.discover", { projectPaths, excludeHostAgents: true });
    expect(agents[0]).toEqual({
      id: "tester",
      name: "tester",
      displayName: "tester",
      description: "Tests",
      source: "project",
      path: at("repo", ".github", "agents", "tester.agent.md"),
      userInvocable: true,
      disableModelInvocation: false,
      prompt: "Do it.",
    });
  });

  test("are found wherever the paths are that are told", async () => {
    await mkdir(at("repo", "sub"), { recursive: true });
    const projectPaths = [at("repo", "sub")];
    const { paths } = await client.request("agents.getDiscoveryPaths", { projectPaths });
    const preferred = paths.filter((path: { preferredForCreation: boolean }) => path.preferredForCreation);
    expect(preferred).toEqual([
      { path: at("home", "agents"), scope: "user", preferredForCreation: true },
      {
        path: at("repo", ".github", "agents"),
        scope: "project",
        preferredForCreation: true,
        projectPath: at("repo", "sub"),
      },
    ]);
    for (const [index, { path }] of paths.entries())
      await write(join(path, `made-${index}.md`), agent("Made"));
    await expect
      .poll(
        async () => (await names({ projectPaths })).filter((name: string) => name.endsWith("Made")).length,
      )
      .toBe(paths.length);
  });
});

describe("instructions", () => {
  const sourcesAt = async (params: object) =>
    (await client.request("instructions.discover", params)).sources as Record<string, string>[];

  test("are the user's, and those of the projects, which they name", async () => {
    await write(at("home", "copilot-instructions.md"), "Of the user.");
    await write(at("first", "AGENTS.md"), "Of the first.");
    await write(at("second", "AGENTS.md"), "Of the second.");
    const projectPaths = [at("first"), at("second")];
    expect(
      (await sourcesAt({ projectPaths })).map(({ content, projectPath }) => [content, projectPath]),
    ).toEqual([
      ["Of the user.", undefined],
      ["Of the first.", at("first")],
      ["Of the second.", at("second")],
    ]);
    expect((await sourcesAt({})).map(({ location }) => location)).toEqual(["user"]);
    expect(await sourcesAt({ excludeHostInstructions: true })).toEqual([]);
  });

  test("are found wherever the paths are that are told", async () => {
    await mkdir(at("repo", "deep"), { recursive: true });
    const projectPaths = [at("repo", "deep")];
    const { paths } = await client.request("instructions.getDiscoveryPaths", { projectPaths });
    for (const { path, kind } of paths)
      await write(kind === "file" ? path : join(path, "a.instructions.md"), `From ${path}.`);
    const expected = paths.map(({ path, location }: { path: string; location: string }) => [
      location,
      `From ${path}.`,
    ]);
    await expect
      .poll(async () =>
        (await sourcesAt({ projectPaths })).map(({ location, content }) => [location, content]),
      )
      .toEqual(expect.arrayContaining(expected));
    expect(await sourcesAt({ projectPaths })).toHaveLength(paths.length);
    const preferred = paths.filter((path: { preferredForCreation: boolean }) => path.preferredForCreation);
    expect(preferred.map(({ path }: { path: string }) => path)).toEqual([
      at("home", "copilot-instructions.md"),
      at("repo", ".github", "copilot-instructions.md"),
    ]);
  });
});

test.each([
  "agents.discover",
  "agents.getDiscoveryPaths",
  "instructions.discover",
  "instructions.getDiscoveryPaths",
])("%s refuses paths that are not absolute", async (method) => {
  for (const projectPaths of [["src"], [`${at("repo")}\0`], Array(101).fill("/")])
    await expect(client.request(method, { projectPaths })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "projectPaths" },
    });
});
