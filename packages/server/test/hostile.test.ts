/** Clients that mean harm: memory stays bounded, others are served, nothing is forged. */
import { readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { createToken } from "../src/auth/token.ts";
import { type ServerProcess, spawnServer, startServer, tempHome } from "./support/servers.ts";

const token = createToken();

async function withAuth(home: string): Promise<string[]> {
  const file = join(home, "rightseat.json");
  const principals = [{ name: "api", tenant: "acme", tokens: [{ sha256: token.sha256 }] }];
  await writeFile(file, JSON.stringify({ auth: { principals } }));
  return ["--demo", "--config", file];
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

async function residentBytes(server: ServerProcess): Promise<number> {
  const status = await readFile(`/proc/${server.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is held; what only waits to be collected is left out. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Resolves with the beginning of what is answered. */
const firstAnswer = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(String(chunk))));

/** A ping of so many bytes but for the last three; resolves when the system has taken them. */
async function sendMost(socket: Socket, bytes: number): Promise<void> {
  const head = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"message":"';
  socket.write(`Content-Length: ${bytes}\r\n\r\n${head}`);
  const part = Buffer.alloc(64 * 1024, "x");
  for (let left = bytes - head.length - 3; left > 0; left -= part.length) {
    if (!socket.write(part.subarray(0, left))) await new Promise((resolve) => socket.once("drain", resolve));
  }
}

describe("strangers", () => {
  test("who trickles bytes, or says nothing, is hung up on; who says who it is, is served meanwhile", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, {
      flags: await withAuth(home.path),
      pace: { introductionMs: 1_500, sweepMs: 100 },
    });
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(server.port)));
    const text = "Content-Length: 100000\r\n\r\n{";
    let at = 0;
    const trickle = setInterval(() => {
      for (const socket of slow) if (!socket.destroyed) socket.write(text[at % text.length] as string);
      at += 1;
    }, 50);
    try {
      const client = await server.connect();
      await client.request("connect", { token: token.token });
      const { sessionId } = await client.request("session.create", { model: "demo" });
      expect(await client.ask(sessionId, "hello")).toBeDefined();
      await Promise.all(slow.map(closed));
      expect(await client.request("ping")).toMatchObject({ message: "pong" });
      await client.close();
    } finally {
      clearInterval(trickle);
    }
  });

  test("who closes one half of a connection, in the middle of a message, is let go of", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo", "--http-port", "0"] });
    const halves = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
        socket.on("error", () => undefined);
        await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
        const ended = new Promise<void>((resolve) => socket.once("end", () => resolve()));
        socket.resume().end('Content-Length: 1000\r\n\r\n{"jsonrpc":');
        return { socket, ended };
      }),
    );
    await Promise.all(halves.map(({ ended }) => ended));
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text())
      .toContain("rightseat_connections 0\n");
    for (const { socket } of halves) socket.destroy();
  });

  test("connections beyond the limit are hung up on, and there is room again when others go", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo", "--max-connections", "50"] });
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(server.port)));
    const tooMany = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
    await Promise.all(tooMany.map((client) => client.ended));
    // One line of the log, not one for each of them.
    expect(server.log.filter(({ message }) => message.startsWith("connections were refused"))).toMatchObject([
      { fields: { maxConnections: 50 } },
    ]);
    sockets[0]?.destroy();
    await expect
      .poll(async () => {
        const client = await server.connect();
        const answer = await client.request("ping").catch(() => undefined);
        await client.close();
        return answer?.message;
      })
      .toBe("pong");
    for (const socket of sockets) socket.destroy();
  });

  test.skipIf(process.platform !== "linux")(
    "more of them than the system has descriptors for leave the server some to work with",
    async () => {
      await using home = await tempHome();
      const flags = ["--demo", "--log-level", "error", "--http-port", "0"];
      const server = await spawnServer(home.path, flags, {}, { openFiles: 256 });
      try {
        const client = await server.connect();
        const sockets = await Promise.all(Array.from({ length: 500 }, () => open(server.port)));
        const { sessionId } = await client.request("session.create", { model: "demo" });
        expect(await client.ask(sessionId, "hello")).toBeDefined();
        const [, httpPort] = /metrics on http:\/\/[^:]+:(\d+)/.exec(server.output()) ?? [];
        expect((await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status).toBe(200);
        // A client that is turned away learns of it when its own turn comes to read.
        await expect.poll(() => sockets.filter((socket) => !socket.destroyed).length).toBe(191);
        for (const socket of sockets) socket.destroy();
        await client.close();
      } finally {
        await server.kill("SIGKILL");
      }
    },
  );

  test.skipIf(process.platform !== "linux")(
    "thousands that say nothing take little memory, and hold nobody up",
    async () => {
      await using home = await tempHome();
      const server = await spawnServer(home.path, ["--demo", "--log-level", "error"]);
      try {
        const before = await residentBytes(server);
        const count = Number(process.env.RIGHTSEAT_HOSTILE_CONNECTIONS ?? 2_000);
        const sockets: Socket[] = [];
        while (sockets.length < count)
          sockets.push(...(await Promise.all(Array.from({ length: 250 }, () => open(server.port)))));
        const client = await server.connect();
        const { sessionId } = await client.request("session.create", { model: "demo" });
        expect(await client.ask(sessionId, "hello")).toBeDefined();
        expect((await residentBytes(server)) - before).toBeLessThan(40 * 1024 * 1024 + count * 32 * 1024);
        for (const socket of sockets) socket.destroy();
        await client.close();
      } finally {
        await server.kill("SIGKILL");
      }
    },
  );
});

describe("messages", () => {
  test("the largest are taken, larger ones are skipped without being held, over and over", async () => {
    await using home = await tempHome();
    const limit = 8 * 1024 * 1024;
    await using server = await startServer(home.path, {
      flags: ["--demo", "--max-message-bytes", String(limit)],
    });
    const client = await server.connect();
    const largest = "x".repeat(limit - 200);
    expect((await client.request("ping", { message: largest })).message).toHaveLength(largest.length + 6);
    await server.warmedUp();
    const before = bytesInUse();
    const senders = await Promise.all(Array.from({ length: 20 }, () => open(server.port)));
    const answers = senders.map((socket) => firstAnswer(socket));
    await Promise.all(senders.map((socket) => sendMost(socket, 2 * limit)));
    // All but their ends have come: together forty times the largest message.
    // V8 gives back what buffers took a moment after it has collected them.
    await vi.waitFor(() => expect(bytesInUse() - before).toBeLessThan(limit));
    for (const socket of senders) socket.write('"}}');
    for (const answer of await Promise.all(answers)) expect(answer).toContain("frame_too_large");
    for (const socket of senders) socket.destroy();
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    await vi.waitFor(() => expect(bytesInUse() - before).toBeLessThan(limit));
    await client.close();
  });

  test("nesting, names of the prototype and line breaks change nothing and forge nothing", async () => {
    await using home = await tempHome();
    await using server = await startServer(home.path, { flags: ["--demo", "--log-level", "debug"] });
    const client = await server.connect();
    let nested: unknown = "deep";
    for (let depth = 0; depth < 2_000; depth += 1) nested = { [depth % 2 ? "a" : "__proto__x"]: nested };
    await expect(client.request("ping", { message: "m", nested })).rejects.toMatchObject({
      data: { reason: "invalid_request", limit: "depth", max: 128 },
    });
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      await expect(client.request(name, {})).rejects.toMatchObject({ data: { reason: "method_not_found" } });
      await client.request("session.getMetadata", { sessionId: name }).catch(() => undefined);
    }
    const raw =
      '{"sessionId":"p","model":"demo","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    await client.request("session.create", JSON.parse(raw)).catch(() => undefined);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const tools = [{ name: "__proto__", description: "", parameters: { type: "object" } }];
    await client.request("session.create", { sessionId: "q", model: "demo", tools }).catch(() => undefined);
    await client
      .request("session.send", { sessionId: 'x\n{"level":"error"}', prompt: "p" })
      .catch(() => undefined);
    expect(await client.request("ping")).toMatchObject({ message: "pong" });
    await client.close();
  });

  test("what clients send cannot make a line of the log", async () => {
    await using home = await tempHome();
    const server = await spawnServer(home.path, [...(await withAuth(home.path)), "--log-level", "debug"]);
    try {
      const client = await server.connect();
      const forged = '\n{"level":50,"msg":"forged"}\n';
      await client.request("connect", { token: forged }).catch(() => undefined);
      await client.request("connect", { token: token.token });
      await client.request("session.resume", { sessionId: forged }).catch(() => undefined);
      await client.request(forged, {}).catch(() => undefined);
      await client.close();
      expect(await server.kill("SIGTERM")).toBe(0);
      const lines = server
        .output()
        .split("\n")
        .filter((line) => line.startsWith("{"));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect((JSON.parse(line) as { msg: string }).msg).not.toBe("forged");
    } finally {
      await server.kill("SIGKILL");
    }
  });
});
