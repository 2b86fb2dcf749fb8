import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tightenHome } from "./tighten-home.ts";

test.skipIf(process.platform === "win32")("what holds sessions is closed to others, and told", async () => {
  const home = await mkdtemp(join(tmpdir(), "rightseat-tighten-"));
  const modeOf = async (name: string) => ((await stat(join(home, name))).mode & 0o777).toString(8);
  try {
    for (const name of ["session-state", "run"]) await mkdir(join(home, name));
    await writeFile(join(home, "permissions-config.json"), "{}");
    await chmod(home, 0o755);
    await chmod(join(home, "session-state"), 0o755);
    await chmod(join(home, "run"), 0o700);
    await chmod(join(home, "permissions-config.json"), 0o644);
    const told: unknown[] = [];
    await tightenHome(home, (_, { path }) => told.push(path));
    expect(await Promise.all(["session-state", "run", "permissions-config.json", "."].map(modeOf))).toEqual([
      "700",
      "700",
      "600",
      "755",
    ]);
    expect(told.sort()).toEqual([join(home, "permissions-config.json"), join(home, "session-state")]);
    await tightenHome(home, () => told.push("again"));
    expect(told).toHaveLength(2);
  } finally {
    await rm(home, { recursive: true });
  }
});
