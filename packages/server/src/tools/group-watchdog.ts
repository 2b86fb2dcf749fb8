/**
 * Ends shells when the server is killed. One small `sh`, in a group of its own, runs while there are
 * shells; it is told of their process groups through its stdin, and kills what it knows when that pipe
 * closes, which the kernel does however the server ends. Needs nothing but a POSIX `sh`.
 *
 * States: none ⇄ running. `watch` of the first group starts it, `forget` of the last lets it go. It is
 * replaced, with all that it knew, when it dies itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { giveWayAsGroup } from "./child-priority.ts";

const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r verb group; do
  case $verb in
    watch) groups="$groups$group " ;;
    forget) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
exit 0
`;

const watched = new Set<number>();
let keeper: ChildProcess | undefined;

/** From now on the group dies with the server, and gives way to it. Told before this returns: the group may run then. */
export function watchGroup(groupId: number): void {
  watched.add(groupId);
  giveWayAsGroup(groupId, () => watched.has(groupId));
  if (keeper) keeper.stdin?.write(`watch ${groupId}\n`);
  else keeper = startKeeper();
}

/** The group has ended. Its id may become another's, so this must not be late. May be called twice. */
export function forgetGroup(groupId: number): void {
  if (!watched.delete(groupId)) return;
  keeper?.stdin?.write(`forget ${groupId}\n`);
  if (watched.size > 0) return;
  keeper?.stdin?.end();
  keeper = undefined;
}

function startKeeper(): ChildProcess {
  const child = spawn("/bin/sh", ["-c", SCRIPT], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
  });
  // Without it there are still all the ways in which the server ends shells itself.
  const onGone = () => {
    if (keeper !== child) return;
    keeper = undefined;
    if (watched.size > 0 && child.exitCode === null && child.pid !== undefined) keeper = startKeeper();
  };
  child.on("error", onGone);
  child.on("exit", onGone);
  child.stdin?.on("error", () => {});
  for (const groupId of watched) child.stdin?.write(`watch ${groupId}\n`);
  child.unref();
  (child.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return child;
}
