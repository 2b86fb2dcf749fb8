// Copies the built server into this package, so that it installs alone.
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const server = fileURLToPath(new URL("../../server/", import.meta.url));
const runtime = fileURLToPath(new URL("../runtime/", import.meta.url));
if (!existsSync(`${server}dist/rightseat.js`))
  throw new Error("the server is not built: run 'npm run build'");
rmSync(runtime, { recursive: true, force: true });
for (const folder of ["bin", "dist"])
  cpSync(`${server}${folder}`, `${runtime}${folder}`, {
    recursive: true,
    filter: (path) => !path.endsWith(".map"),
  });
