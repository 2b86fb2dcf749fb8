// Stands where an SDK expects a runtime to start: starts the one that RECORDED_RUNTIME names, passes standard
// input and output on, and tells 127.0.0.1:RECORDING_PORT all that passed and how it ended, one JSON a line.
import { spawn } from "node:child_process";
import { connect } from "node:net";

const { RECORDED_RUNTIME: runtime, RECORDING_PORT: port, ...env } = process.env;
const recording = connect(Number(port), "127.0.0.1");
const note = (entry) => recording.write(`${JSON.stringify(entry)}\n`);
const command = runtime.endsWith(".js") ? [process.execPath, runtime] : [runtime];
const child = spawn(command[0], [...command.slice(1), ...process.argv.slice(2)], {
  env,
  stdio: ["pipe", "pipe", "inherit"],
});

const pass = (from, source, target) => {
  source.on("data", (piece) => {
    note({ from, piece: piece.toString("base64") });
    target.write(piece);
  });
  source.on("end", () => target.end());
  target.on("error", () => {});
};
note({ args: process.argv.slice(2) });
pass("client", process.stdin, child.stdin);
pass("server", child.stdout, process.stdout);

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
child.on("close", (code, signal) => {
  recording.end(`${JSON.stringify({ code, signal })}\n`, () => process.exit(code ?? 1));
});
