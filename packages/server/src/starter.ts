/**
 * Knows when the application whose SDK started the server is gone. On TCP nothing ends then: connections come and go, and
 * standard input says nothing. Other servers outlive who starts them. These signs together are an SDK's alone:
 *
 * - `--no-auto-update`, which every SDK gives its runtime, and which asks for nothing here;
 * - standard output and standard error are two pipes, or two pairs of sockets;
 * - the parent is the application itself: no shell, no supervisor, no first process.
 *
 * The application is gone once its process is, and nobody is left who reads the standard error that it was given.
 */
import { fstatSync, readFileSync, write } from "node:fs";

const LOOK_MS = 1_000;
/** When somebody else goes on reading, such as processes that the application forked. */
const LOOK_AGAIN_MS = 30_000;

/** Programs that start others for people. Their names are cut after 15 characters. */
const STARTS_FOR_PEOPLE =
  /^-?(?:(?:ba|da|z|k|mk|c|tc|fi|a)?sh|busybox|nu|pwsh|su|sudo|doas|runuser|nohup|setsid|timeout|env|script|expect|make|cron|crond|atd|init|tini|dumb-init|docker-init|catatonit|conmon|runsv|supervisord|start-stop-daem|(?:sshd|systemd|tmux|screen|s6-|containerd|npm|npx|yarn|pnpm|PM2).*)$/i;

/**
 * Is to be asked as soon as the process runs, of one that was given the option.
 *
 * @returns what resolves when the application is gone; never, where no SDK started this process. In an object, since a
 * promise would be waited for.
 */
export function watchStarter(): { readonly gone: Promise<void> } {
  const parent = process.ppid;
  return { gone: hasOwnPipes() && isApplication(parent) ? whenGone(parent) : new Promise(() => undefined) };
}

function hasOwnPipes(): boolean {
  try {
    const [output, error] = [fstatSync(1), fstatSync(2)];
    const arePipes = [output, error].every((stats) => stats.isFIFO() || stats.isSocket());
    return arePipes && output.ino !== error.ino;
  } catch {
    return false;
  }
}

function isApplication(pid: number): boolean {
  if (pid <= 1) return false;
  try {
    return !STARTS_FOR_PEOPLE.test(readFileSync(`/proc/${pid}/comm`, "utf8").trim());
  } catch {
    // It has ended already, or this system does not tell: what is not known does not end a server.
    return false;
  }
}

function whenGone(parent: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (process.ppid === parent) return lookLater(LOOK_MS);
      // Nothing but a write tells whether a pipe is read. One that is full has a reader who may come back to it.
      write(2, "rightseat: the program that started this server is gone\n", (error) => {
        if (error?.code === "EPIPE" || error?.code === "ECONNRESET") return resolve();
        lookLater(LOOK_AGAIN_MS);
      });
    };
    const lookLater = (ms: number) => setTimeout(look, ms).unref();
    lookLater(LOOK_MS);
  });
}
