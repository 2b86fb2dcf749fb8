import { homedir } from "node:os";
import { expect, test } from "vitest";
import { userHome } from "./user-home.ts";

test("a user that the system does not know has / for a home, and others their own", () => {
  const unknown = () => {
    throw new Error("uv_os_homedir returned ENOENT");
  };
  expect(userHome(unknown)).toBe("/");
  expect(userHome()).toBe(homedir());
});
