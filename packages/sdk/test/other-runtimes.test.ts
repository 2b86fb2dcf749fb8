/**
 * The built package in JavaScript runtimes: Node.js, and those that are named, for example
 * `RIGHTSEAT_SDK_RUNTIMES="bun;deno run -A" npx vitest run packages/sdk/test/other-runtimes.test.ts`.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCertificates, startFaultProxy, startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { seeded } from "../../server/test/support/random.ts";
import { startServer, tempHome } from "../../server/test/support/servers.ts";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("support/program.mjs", import.meta.url));
const SDK = new URL("../dist/index.js", import.meta.url).href;

const named = (process.env.RIGHTSEAT_SDK_RUNTIMES ?? "").split(";").filter((command) => command !== "");

test.each([process.execPath, ...named])(
  "%s talks over plain, encrypted and bad connections",
  async (command) => {
    await using home = await tempHome();
    await using secureHome = await tempHome();
    await using model = await startScriptedModelServer();
    const { ca, server: certificate } = await createCertificates();
    const [cert, key] = [join(home.path, "cert.pem"), join(home.path, "key.pem")];
    await writeFile(cert, certificate.cert, { mode: 0o600 });
    await writeFile(key, certificate.key, { mode: 0o600 });
    await using plain = await startServer(home.path);
    await using secure = await startServer(secureHome.path, {
      flags: ["--tls-cert", cert, "--tls-key", key],
    });
    const rates = { cut: 0.03, halfClose: 0.01, delay: 0.05, refuse: 0.1 };
    await using proxy = await startFaultProxy({ port: plain.port, random: seeded(1), rates, maxDelayMs: 10 });
    const given = {
      plain: `localhost:${plain.port}`,
      faulty: `localhost:${proxy.port}`,
      secure: `tls://localhost:${secure.port}`,
      ca,
      model: model.url,
    };
    const [file = "", ...args] = command.split(" ");
    // It ends by itself: nothing is left that would keep it.
    const { stdout } = await run(file, [...args, PROGRAM, SDK, JSON.stringify(given)]);
    expect(JSON.parse(stdout)).toEqual({
      tool: {
        result: { answer: "done", calls: ["lookup", "lookup"], prompts: ["tool lookup 2", "echo next"] },
        stopped: [],
      },
      secure: { result: "secret", stopped: [] },
      faulty: { result: { right: 40, prompts: 40, same: true }, stopped: [] },
      refused: true,
    });
  },
  60_000,
);
