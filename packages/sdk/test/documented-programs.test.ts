/**
 * Programs as the official documentation shows them run with the import changed, and say what they say with the
 * official SDK. Its pages are not part of this repository: `RIGHTSEAT_SDK_DOCS` names the `docs` folder of
 * a checkout. Without it a page of our own shows that the running of pages works.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as official from "@github/copilot-sdk";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "../../server/test/support/servers.ts";
import * as ours from "../src/index.ts";
import { type Program, programsOf, runProgram } from "./support/documented-program.ts";

type Sdk = typeof official;

const PAGES = ["setup/backend-services.md", "setup/scaling.md", "auth/byok.md"];
const { RIGHTSEAT_SDK_DOCS: docs } = process.env;

const OWN_PAGE = `
\`\`\`typescript
import { CopilotClient } from "@github/copilot-sdk";
const client = new CopilotClient({ cliUrl: "elsewhere:1" });
app.post("/api/chat", async (req, res) => {
  const session = await client.createSession({ model: "demo" });
  res.json({ content: (await session.sendAndWait({ prompt: req.body.message }))?.data.content });
});
\`\`\`
\`\`\`typescript
// ❌ No model
const session = await client.createSession({ provider: { type: "openai", baseUrl: "elsewhere" } });
// ✅ A model
const session = await client.createSession({ model: "m", provider: { type: "openai", baseUrl: "elsewhere" } });
\`\`\`
\`\`\`typescript
provider: {
  type: "anthropic",
  baseUrl: "elsewhere",
}
\`\`\`
`;

const pages: [name: string, text: string][] = docs
  ? PAGES.map((name) => [name, readFileSync(join(docs, name), "utf8")])
  : [["a page of our own", OWN_PAGE]];
const programs = pages.flatMap(([page, text]) =>
  programsOf(text).map((program): [string, Program] => [`${page}:${program.line}`, program]),
);

let model: ScriptedModelServer;
let home: TempHome;
let server: TestServer;
beforeAll(async () => {
  model = await startScriptedModelServer();
  home = await tempHome();
  server = await startServer(home.path, { flags: ["--demo"] });
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});
beforeEach(() => model.forget());

/** What a program says with an SDK; where it names a server or a model, it gets ours. */
async function saidWith(sdk: Sdk, { text }: Program): Promise<string[]> {
  const clients: official.CopilotClient[] = [];
  class CopilotClient extends sdk.CopilotClient {
    constructor(given: official.CopilotClientOptions & { cliUrl?: string } = {}) {
      const { cliUrl: _, ...options } = given;
      super({ ...options, connection: sdk.RuntimeConnection.forUri(`localhost:${server.port}`) });
      clients.push(this);
    }
    override createSession(config: official.SessionConfig) {
      const { provider } = config;
      if (!provider) return super.createSession(config);
      const baseUrl = provider.type === "anthropic" ? model.url : `${model.url}/v1`;
      return super.createSession({ ...config, provider: { ...provider, baseUrl } });
    }
  }
  const client = new CopilotClient();
  await client.start();
  await (await client.createSession({ sessionId: "team-project-review" })).disconnect();
  try {
    return await runProgram(text, { library: { ...sdk, CopilotClient }, client });
  } finally {
    for (const { sessionId } of await client.listSessions()) await client.deleteSession(sessionId);
    await Promise.all(clients.map((each) => each.stop()));
  }
}

/** What came of it, in words that do not depend on who says them. */
const outcomeOf = (run: Promise<string[]>) =>
  run.then(
    (said) => ({ said }),
    (error: Error) => ({ failed: error.message.replace(/^Request \S+ failed with message: /, "") }),
  );

/** The pages are ahead of the official SDK: what is read there it does not have, or takes for granted. */
const OURS_ALONE = /\.createdAt|resumeSession\([^,)]*\)/;

test.each(programs)("%s", async (_name, program) => {
  const outcome = await outcomeOf(saidWith(ours as never, program));
  if (!program.isWrong) expect(outcome).not.toHaveProperty("failed");
  if (!OURS_ALONE.test(program.text)) expect(outcome).toEqual(await outcomeOf(saidWith(official, program)));
});
