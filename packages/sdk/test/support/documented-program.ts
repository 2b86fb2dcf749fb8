/**
 * Runs programs as documentation shows them: in parts, with a web server, a queue or a lock that is left to the
 * reader. What they declare is called; what they answer is collected.
 */
import { transform } from "esbuild";

/** What a program may name besides the SDK, and what came of it. */
export interface Surroundings {
  /** Everything that the SDK exports; `CopilotClient` finds the test's server. */
  readonly library: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: a client of either SDK
  readonly client: any;
}

export interface Program {
  readonly line: number;
  readonly text: string;
  /** Shown as how not to do it. */
  readonly isWrong: boolean;
}

const PROMPT = "echo hello";

/** What programs declare, for the exercise to call. */
const DECLARED = [
  "session",
  "processJob",
  "checkCLIHealth",
  "cleanupSessions",
  "CLIPool",
  "getSessionId",
  "resumeSessionWithAuth",
  "SessionManager",
];

/** The TypeScript of a page. A block that shows a wrong way and a right way is two programs. */
export function programsOf(page: string): Program[] {
  const programs: Program[] = [];
  for (const match of page.matchAll(/^```typescript\n(.*?)^```$/gms)) {
    const line = page.slice(0, match.index).split("\n").length;
    for (const part of (match[1] as string).split(/^(?=\/\/ [❌✅])/m)) {
      const isFragment = /^(\/\/.*\n)*provider: \{/.test(part);
      const text = isFragment
        ? `const session = await client.createSession({ model: "gpt-5.4",\n${part.trim()}});`
        : part;
      if (text.trim() !== "") programs.push({ line, text, isWrong: part.startsWith("// ❌") });
    }
  }
  return programs;
}

/** Resolves with what the program said and answered. */
export async function runProgram(text: string, { library, client }: Surroundings): Promise<string[]> {
  const said: string[] = [];
  const around = standIns(said);
  // biome-ignore lint/suspicious/noExplicitAny: whatever the program declared
  const exercise = (declared: any) =>
    // A program that ends as programs do has nothing left to try.
    /^await client\.stop\(\)/m.test(text) ? undefined : exerciseAll(declared, { client, ...around }, said);
  const scope: Record<string, unknown> = { ...library, ...around, client, exercise };
  const { code } = await transform(text.replaceAll(/^import .*$/gm, ""), { loader: "ts", target: "es2022" });
  const shown = DECLARED.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`);
  const script = `{ ${code}\nawait exercise({ ${shown.join(", ")} }); }`;
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  await new AsyncFunction(...Object.keys(scope), script)(...Object.values(scope));
  return said;
}

interface Answer {
  readonly content?: string;
  readonly result?: string;
  readonly success?: boolean;
  readonly sessionId?: string;
}

type Handler = (request: object, response: { json: (answer: Answer) => void }) => Promise<void>;

function standIns(said: string[]) {
  const routes: { path: string; handler: Handler }[] = [];
  const app = {
    use: () => undefined,
    listen: () => undefined,
    post: (path: string, ...handlers: Handler[]) =>
      void routes.push({ path, handler: handlers.at(-1) as Handler }),
  };
  const locks = new Map<string, string>();
  class Redis {
    set = async (key: string, value: string) => (locks.has(key) ? null : locks.set(key, value) && "OK");
    get = async (key: string) => locks.get(key);
    del = async (key: string) => locks.delete(key);
  }
  const user = { id: "ada" };
  return {
    app,
    routes,
    express: Object.assign(() => app, { json: () => undefined }),
    Redis,
    redis: new Redis(),
    authMiddleware: () => undefined,
    acquireBearerToken: async () => "token",
    spawnCLI: async () => undefined,
    saveResult: async (_id: unknown, content: unknown) => void said.push(`saved ${content}`),
    setInterval: () => undefined,
    console: { log: (text: unknown) => void said.push(`printed ${text}`) },
    userId: user.id,
    user,
    req: { user, body: { sessionId: "asked-for", message: PROMPT, prompt: PROMPT } },
    res: { json: ({ content }: Answer) => void said.push(`answered ${content}`) },
  };
}

type Around = ReturnType<typeof standIns> & Pick<Surroundings, "client">;

// biome-ignore lint/suspicious/noExplicitAny: whatever the program declared
async function exerciseAll(declared: any, around: Around, said: string[]): Promise<void> {
  const { client } = around;
  await callRoutes(around, said);
  if (declared.processJob) await declared.processJob({ id: 1, prompt: PROMPT });
  if (declared.checkCLIHealth) said.push(`healthy ${await declared.checkCLIHealth()}`);
  if (declared.cleanupSessions) {
    await declared.cleanupSessions(-1);
    said.push(`left ${(await client.listSessions()).length}`);
  }
  if (declared.CLIPool) {
    const pool = new declared.CLIPool();
    const own = await pool.getClientForUser("ada");
    said.push(`the same client ${own === (await pool.getClientForUser("ada"))}`);
    await own.start();
    said.push(await wordsOf(await own.createSession({})));
    await pool.releaseUser("ada");
  }
  if (declared.resumeSessionWithAuth) {
    const id = declared.getSessionId("ada", "chat");
    await (await client.createSession({ sessionId: id })).disconnect();
    said.push(await wordsOf(await declared.resumeSessionWithAuth(id, "ada")));
    const refusal = await declared.resumeSessionWithAuth(id, "bob").catch((error: Error) => error.message);
    said.push(String(refusal));
  }
  if (declared.SessionManager) {
    const manager = new declared.SessionManager(2);
    for (const id of ["a", "b", "c"]) said.push(await wordsOf(await manager.getSession(id)));
  }
  if (declared.session && around.routes.length === 0) said.push(await wordsOf(declared.session));
}

/** Every route once, in order, and a chat a second time; an id that is answered is sent along from then on. */
async function callRoutes({ routes, req }: Around, said: string[]): Promise<void> {
  for (const { path, handler } of routes) {
    const json = ({ content, result, success, sessionId }: Answer) => {
      if (sessionId !== undefined) req.body.sessionId = sessionId;
      said.push(`${path} ${content ?? result ?? success ?? "made"}`);
    };
    await handler(req, { json });
    if (path === "/api/chat") await handler(req, { json });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a session of either SDK
async function wordsOf(session: any): Promise<string> {
  const answer = await session.sendAndWait({ prompt: PROMPT });
  return `session says ${answer?.data.content}`;
}
