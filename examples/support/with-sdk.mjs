import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const EXAMPLES = fileURLToPath(new URL("..", import.meta.url));
const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/**
 * A copy of the examples in which `@github/copilot-sdk` is another package: they run with it and no
 * change but the alias.
 *
 * @param {string} sdk the folder of the package that takes its place
 */
export function examplesWith(sdk) {
  const root = mkdtempSync(join(tmpdir(), "rightseat-examples-"));
  const folder = join(root, "examples");
  cpSync(EXAMPLES, folder, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
  const link = (name, target = join(MODULES, name)) => {
    const path = join(root, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  for (const name of readdirSync(MODULES)) if (!name.startsWith(".") && name !== "@github") link(name);
  link("@github/copilot-sdk", sdk);
  return { folder: `${folder}/`, remove: () => rmSync(root, { recursive: true, force: true }) };
}
