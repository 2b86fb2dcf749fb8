/**
 * Two tenants on one server in a process of its own with a small heap. One does everything at once that would hold up,
 * fill or end a server that lets it; the other is served all along, and neither sees anything of the other.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { encodeFrame } from "@rightseat/protocol";
import { type ScriptedReply, startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { spawnServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const TURNS = Number(process.env.RIGHTSEAT_NEIGHBOUR_TURNS ?? 20);
const HEAP_MB = 320;
const MAX_RESIDENT_MB = 600;

const hostile = createToken();
const honest = createToken();
const MARKS = { hostile: "belongs-to-the-hostile", honest: "belongs-to-the-honest" };

/** What the hostile tenant's model asks for: one call in each session, over and over. */
const TOOL_CALLS: Readonly<Record<string, (paths: Paths) => { name: string; arguments: unknown }>> = {
  "a blank that is none": () => bash("echo\u00a0a\vb\fc"),
  "xargs with many words": () => bash(`xargs ${"a ".repeat(20_000)}`),
  "output without end": () => bash("yes | head -c 30000000"),
  "commands that stay": () => bash("sleep 1000 & sleep 1000 & sleep 1000 &"),
  "a glob with many braces": () => ({ name: "glob", arguments: { pattern: `{${",".repeat(100_000)}` } }),
  "a glob with many stars": () => ({ name: "glob", arguments: { pattern: `${"**/a/".repeat(12)}z` } }),
  "an expression that takes long": () => ({
    name: "grep",
    arguments: { pattern: "(a+)+$", path: "aaa.txt" },
  }),
  "a pipe to read": ({ pipe }) => ({ name: "view", arguments: { path: pipe } }),
  "a pipe to search": ({ pipe }) => ({ name: "grep", arguments: { pattern: "x", path: pipe } }),
  "the other's log": ({ home }) => bash(`cat ${home}/session-state/*/*/events.jsonl`),
  "arguments that are deep": () => ({
    name: "view",
    arguments: `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
  }),
  "a call that always fails": () => ({ name: "view", arguments: { path: "/nowhere" } }),
  "a question that nobody answers": () => ({ name: "ask_user", arguments: { question: "well?" } }),
};

interface Paths {
  readonly pipe: string;
  readonly home: string;
}

const bash = (command: string) => ({ name: "bash", arguments: { command, description: "x" } });

/** Answers the honest one's prompts; calls the tool that the last prompt of the hostile one names. */
function answer(body: Record<string, unknown>, paths: Paths): ScriptedReply {
  const messages = body.messages as { role: string; content: unknown }[];
  const prompt = String(messages.findLast(({ role }) => role === "user")?.content);
  const echo = /echo (\S+)/.exec(prompt)?.[1];
  if (echo) return { text: echo };
  const attack = Object.keys(TOOL_CALLS).find((name) => prompt.includes(name));
  const hasCalled = messages.at(-1)?.role === "tool";
  if (!attack || (hasCalled && attack !== "a call that always fails")) return { text: MARKS.hostile };
  return { toolCalls: [(TOOL_CALLS[attack] as (paths: Paths) => never)(paths)] };
}

/** A provider of the hostile tenant's own, whose answers do not end. */
async function startEndlessProvider() {
  const pump = (response: ServerResponse, part: Buffer) => {
    response.on("error", () => undefined);
    const go = () => {
      while (!response.destroyed) if (!response.write(part)) return void response.once("drain", go);
    };
    go();
  };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: ");
      pump(response, Buffer.alloc(64 * 1024, "a"));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test.skipIf(process.platform !== "linux")(
  "a tenant that does everything at once keeps nothing from another",
  async () => {
    await using home = await tempHome();
    const [hostileRoot, honestRoot] = [join(home.work, "hostile"), join(home.work, "honest")];
    for (const root of [hostileRoot, honestRoot]) await mkdir(root);
    const paths = { pipe: join(hostileRoot, "pipe"), home: home.path };
    execFileSync("mkfifo", [paths.pipe]);
    await writeFile(join(hostileRoot, "aaa.txt"), `${"a".repeat(100_000)}b\n`);
    await writeFile(join(hostileRoot, ".gitignore"), `${"**/a/".repeat(12)}z\n`);

    const model = await startScriptedModelServer({ script: ({ body }) => answer(body, paths) });
    const endless = await startEndlessProvider();
    const config = join(home.path, "rightseat.json");
    await writeFile(
      config,
      JSON.stringify({
        auth: {
          principals: [
            { name: "hostile", tenant: "hostile", tokens: [{ sha256: hostile.sha256 }] },
            { name: "honest", tenant: "honest", tokens: [{ sha256: honest.sha256 }] },
          ],
        },
        tenants: { hostile: { root: hostileRoot }, honest: { root: honestRoot } },
        limits: { tenants: { hostile: { childProcesses: 4, storedBytes: 100_000_000 } } },
        providerPrivateHosts: "*",
      }),
    );
    const server = await spawnServer(
      home.path,
      [
        "--config",
        config,
        "--durability",
        "os",
        "--max-connections",
        "100",
        "--http-port",
        "0",
        "--log-level",
        "error",
      ],
      {
        COPILOT_PROVIDER_BASE_URL: `${model.url}/v1`,
        COPILOT_MODEL: "scripted",
        NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
      },
    );
    const connected = async (token: string) => {
      const client = await server.connect();
      await client.request("connect", { token });
      return client;
    };
    const client = await connected(honest.token);
    const received: Buffer[] = [];
    client.stream.on("data", (chunk: Buffer) => received.push(chunk));
    const attack = new Attack(server.port, hostileRoot, () => connected(hostile.token), endless.url);
    let peakMb = 0;
    const watch = setInterval(() => {
      peakMb = Math.max(peakMb, residentMb(server.child.pid as number));
    }, 100);
    try {
      const sessions: string[] = [];
      for (let n = 0; n < 3; n += 1)
        sessions.push((await client.request("session.create", { workingDirectory: honestRoot })).sessionId);
      const attacking = attack.run();
      await attack.underWay;
      for (let turn = 0; turn < TURNS; turn += 1) {
        const text = `${MARKS.honest}-${turn}`;
        expect(await client.ask(sessions[turn % sessions.length] as string, `echo ${text}`)).toBe(text);
        const { sessions: listed } = await client.request("session.list");
        expect(listed.map(({ sessionId }: { sessionId: string }) => sessionId).sort()).toEqual(
          [...sessions].sort(),
        );
        model.forget();
      }
      attack.stop();
      await attacking;
      expect(server.child.exitCode).toBeNull();
      expect(await client.request("ping")).toMatchObject({ message: "pong" });
      expect(peakMb).toBeLessThan(MAX_RESIDENT_MB);
      expect(Buffer.concat(received).includes(MARKS.hostile)).toBe(false);
      expect(attack.received).not.toContain(MARKS.honest);
      // Each attack was made; one that never came through its door would show nothing.
      expect([...attack.made].sort()).toEqual(
        [...Object.keys(TOOL_CALLS), ...Object.keys(attack.others)].sort(),
      );
      await client.close();
      if (process.env.RIGHTSEAT_NEIGHBOUR_TURNS)
        console.log(`${TURNS} turns beside ${attack.count} attacks; at most ${Math.round(peakMb)} MB`);
    } finally {
      clearInterval(watch);
      attack.stop();
      await server.kill("SIGKILL");
      endless.close();
      await model.close();
    }
  },
  120_000,
);

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** Everything that the hostile tenant does, and strangers with it; each over and over until it is stopped. */
class Attack {
  readonly #port: number;
  readonly #directory: string;
  readonly #connect: () => Promise<WireClient>;
  readonly #providerUrl: string;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<WireClient>();
  readonly made = new Set<string>();
  count = 0;
  received = "";
  #stopped = false;
  #begun!: () => void;
  /** Resolves when each has been made once. */
  readonly underWay = new Promise<void>((resolve) => {
    this.#begun = resolve;
  });

  constructor(port: number, directory: string, connect: () => Promise<WireClient>, providerUrl: string) {
    this.#port = port;
    this.#directory = directory;
    this.#connect = connect;
    this.#providerUrl = providerUrl;
  }

  readonly others: Readonly<Record<string, () => Promise<unknown>>> = {
    "tools that are large": async () => {
      const client = await this.#client();
      const text = "d".repeat(4_000_000);
      const tools = [{ name: "large", description: text, parameters: { type: "object", title: text } }];
      for (let n = 0; n < 10; n += 1) await this.#create(client, { tools });
    },
    "a provider without an end": async () => {
      const client = await this.#client();
      const provider = { type: "openai", baseUrl: this.#providerUrl, apiKey: "k" };
      await this.#ask(client, await this.#create(client, { provider, model: "m" }), "go");
    },
    "managed rules that take long": async () => {
      const client = await this.#client();
      const deny = Array.from({ length: 100 }, () => `Bash(${"*a".repeat(490)}b)`);
      const sessionId = await this.#create(client, { managedSettings: { permissions: { deny } } });
      await this.#ask(client, sessionId, "xargs with many words");
    },
    "answers that are not read": async () => {
      const client = await this.#client();
      client.stream.pause();
      for (let n = 0; n < 50; n += 1)
        void client.request("ping", { message: "x".repeat(1_000_000) }).catch(() => undefined);
      await pause();
      await client.close();
    },
    "connections, as many as there are": async () => {
      const clients = await Promise.allSettled(Array.from({ length: 120 }, () => this.#connect()));
      for (const client of clients) if (client.status === "fulfilled") void client.value.close();
    },
    "strangers that say nothing": async () => {
      const sockets = Array.from({ length: 100 }, () => this.#open());
      await pause();
      for (const socket of sockets) socket.destroy();
    },
    "guesses of tokens": async () => {
      const socket = this.#open();
      const frames = Array.from({ length: 500 }, (_, id) =>
        encodeFrame(
          JSON.stringify({ jsonrpc: "2.0", id, method: "connect", params: { token: `guess-${id}` } }),
        ),
      );
      socket.write(Buffer.concat(frames));
      await new Promise((resolve) => socket.once("close", resolve));
    },
    "messages that are none": async () => {
      const socket = this.#open();
      socket.write("Content-Length: 7\r\n\r\nrubbish".repeat(20_000));
      await new Promise((resolve) => socket.once("close", resolve));
    },
  };

  async run(): Promise<void> {
    const attacks = { ...this.#toolAttacks(), ...this.others };
    await Promise.all(Object.entries(attacks).map(([name, attack]) => this.#repeat(name, attack, attacks)));
    for (const client of this.#clients) void client.close();
  }

  stop(): void {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
    for (const client of this.#clients) void client.close();
  }

  #toolAttacks(): Record<string, () => Promise<unknown>> {
    return Object.fromEntries(
      Object.keys(TOOL_CALLS).map((name) => [
        name,
        async () => {
          const client = await this.#client();
          const sessionId = await this.#create(client);
          await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
          await this.#ask(client, sessionId, name);
        },
      ]),
    );
  }

  async #repeat(name: string, attack: () => Promise<unknown>, all: object): Promise<void> {
    while (!this.#stopped) {
      // What is refused is what the server is to do; the next attempt comes all the same.
      await attack().catch(() => undefined);
      this.count += 1;
      this.made.add(name);
      if (this.made.size === Object.keys(all).length) this.#begun();
      await pause();
    }
  }

  async #client(): Promise<WireClient> {
    const client = await this.#connect();
    this.#clients.add(client);
    client.stream.on("data", (chunk: Buffer) => {
      if (chunk.includes(MARKS.honest)) this.received += chunk;
    });
    void client.ended.then(() => this.#clients.delete(client));
    if (this.#stopped) void client.close();
    return client;
  }

  async #create(client: WireClient, fields: object = {}): Promise<string> {
    return (await client.request("session.create", { workingDirectory: this.#directory, ...fields }))
      .sessionId;
  }

  /** Asks, leaves after a while without a word, and leaves the session behind. */
  async #ask(client: WireClient, sessionId: string, prompt: string): Promise<void> {
    const asked = client.ask(sessionId, prompt).catch(() => undefined);
    await Promise.race([asked, pause(2_000)]);
    await client.close();
  }

  #open(): Socket {
    // Strangers come from another address: what they do wrong is held against that.
    const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    this.#sockets.add(socket);
    socket.on("error", () => undefined).resume();
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

const pause = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
