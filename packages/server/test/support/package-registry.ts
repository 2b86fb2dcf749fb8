/** A package registry on this machine that has what this workspace has installed: installs in tests need no network. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));

export interface PackageRegistry extends AsyncDisposable {
  readonly url: string;
}

export async function startPackageRegistry(): Promise<PackageRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "rightseat-registry-"));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/").slice(1);
    const answer = path.endsWith(".tgz") ? tarball(folder, path.slice(0, -4)) : document(path, url());
    answer.then(
      (body) => response.end(body),
      () => response.writeHead(404).end("{}"),
    );
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: url(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The document of the one version that is installed. Rejects when there is none. */
async function document(name: string, url: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(MODULES, name, "package.json"), "utf8"));
  const { version } = manifest;
  const versions = { [version]: { ...manifest, dist: { tarball: `${url}/${name}.tgz` } } };
  return JSON.stringify({ name, "dist-tags": { latest: version }, versions });
}

async function tarball(folder: string, name: string): Promise<Buffer> {
  const parent = await mkdtemp(join(folder, "package-"));
  await cp(join(MODULES, name), join(parent, "package"), { recursive: true });
  await run("tar", ["-czf", "package.tgz", "package"], { cwd: parent });
  return readFile(join(parent, "package.tgz"));
}
