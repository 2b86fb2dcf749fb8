import { expect, test } from "vitest";
import { unusedVolumes } from "./unused-volume.ts";

const MOUNTS = `22 1 0:21 / / rw,relatime - overlay overlay rw
23 22 0:22 / /proc rw - proc proc rw
31 22 254:1 /volumes/a/_data /root/.copilot/session-state rw,relatime master:1 - ext4 /dev/vda1 rw
32 22 254:1 /volumes/b/_data /home/an\\040app/.copilot rw,relatime - ext4 /dev/vda1 rw
33 22 254:1 /volumes/c/_data /root/.copilot/session-state/one rw,relatime - ext4 /dev/vda1 rw
34 22 254:1 /volumes/d/_data /var/lib/rightseat rw,relatime - ext4 /dev/vda1 rw
`;

test("volumes for sessions of another home are found", () => {
  expect(unusedVolumes(MOUNTS, "/var/lib/rightseat")).toEqual([
    "/root/.copilot/session-state",
    "/home/an app/.copilot",
  ]);
});

test("those of the server's own home are in use", () => {
  expect(unusedVolumes(MOUNTS, "/root/.copilot")).toEqual(["/home/an app/.copilot"]);
  expect(unusedVolumes(MOUNTS, "/home/an app/.copilot")).toEqual(["/root/.copilot/session-state"]);
  expect(unusedVolumes("", "/root/.copilot")).toEqual([]);
});
