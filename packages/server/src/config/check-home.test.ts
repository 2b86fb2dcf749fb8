import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeProblem } from "./check-home.ts";

test("a home is made with the folders above it, and one that there is does", () => {
  const root = mkdtempSync(join(tmpdir(), "check-home-"));
  const home = join(root, "a", "b");
  expect(homeProblem(home)).toBeUndefined();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(homeProblem(home)).toBeUndefined();
  writeFileSync(join(root, "file"), "");
  expect(homeProblem(join(root, "file"))).toContain("EEXIST");
  expect(homeProblem(join(root, "file", "below"))).toContain("ENOTDIR");
  rmSync(root, { recursive: true });
});

test.runIf(process.platform === "linux")(
  "a home where the system makes no folders is told of at once",
  () => {
    expect(homeProblem("/proc/x")).toContain("ENOENT");
    expect(homeProblem("/proc/x/y")).toContain("ENOENT");
  },
);
