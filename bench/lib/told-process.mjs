import { fork } from "node:child_process";
import { once } from "node:events";

/**
 * A program that makes load in a process of its own: told its order, then when to be on and off. It answers each with
 * what it has counted so far.
 */
export async function startToldProcess(script, order) {
  const child = fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const tell = async (what) => {
    child.send(what);
    const [count] = await once(child, "message");
    return count;
  };
  await tell(order);
  return { set: (on) => tell({ on }), end: () => child.kill("SIGKILL") };
}
