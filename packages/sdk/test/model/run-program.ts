/** Runs the program of the model-based test beside a server, and sees that it leaves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { spawnServer, tempHome } from "../../../server/test/support/servers.ts";
import type { Order, Report } from "./program.ts";

/** A program that has said everything has nothing left to wait for. */
const LEAVE_MS = 30_000;

export interface Outcome extends Report {
  /** How the program ended: 0, another code, or the signal that ended it. */
  readonly ended: number | string;
}

/** @throws Error for a program that says nothing before it ends. */
export async function runProgram(
  program: string,
  order: Omit<Order, "port">,
  signal?: AbortSignal,
): Promise<Outcome> {
  await using home = await tempHome();
  const server = await spawnServer(home.path, ["--log-level", "error"]);
  const line = JSON.stringify({ ...order, port: server.port } satisfies Order);
  const child = spawn(process.execPath, ["--enable-source-maps", program, line], {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  child.on("error", () => undefined);
  let leaving: NodeJS.Timeout | undefined;
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    leaving ??= setTimeout(() => child.kill("SIGKILL"), LEAVE_MS);
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const [code, killed] = await once(child, "close");
  clearTimeout(leaving);
  await server.kill("SIGTERM");
  if (output === "") throw new Error(`the program ended with ${code ?? killed}: ${errors}`);
  return { ...(JSON.parse(output) as Report), ended: code ?? killed };
}
