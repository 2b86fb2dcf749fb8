import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createGuardedFetch } from "./guarded-fetch.ts";

let server: Server;
let port = 0;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${JSON.stringify(request.headers["transfer-encoding"] ?? "")}`);
    response.end("ok");
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A resolver that gives these addresses, one answer after the other; the last one for ever. */
function resolving(...answers: string[][]) {
  return ((_name: string, _options: unknown, done: (error: null, found: object[]) => void) => {
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  }) as never;
}

test.each([
  "127.0.0.1",
  "2130706433",
  "0x7f.1",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "localhost",
  "LOCALHOST.",
  "a.localhost",
])("%s is refused, and the error says how to allow it", async (host) => {
  const fetch = createGuardedFetch({ isFree: () => false });
  const before = seen.length;
  const url = `http://${host}:${port}/v1`;
  await expect(fetch(url)).rejects.toThrow(
    `--provider-private-hosts ${new URL(url).host}, RIGHTSEAT_PROVIDER_PRIVATE_HOSTS, or 'providerPrivateHosts'`,
  );
  expect(seen.length).toBe(before);
});

test("a name is judged by the address that is connected to, each time", async () => {
  const before = seen.length;
  const rebinding = createGuardedFetch({ isFree: () => false, lookUp: resolving([], ["127.0.0.1"]) });
  for (let n = 0; n < 3; n += 1)
    await expect(rebinding(`http://rebinding.example:${port}/`)).rejects.toThrow(
      "not on the public internet",
    );
  expect(seen.length).toBe(before);
});

test("a host that the operator named is reached, without headers that frame a request", async () => {
  const fetch = createGuardedFetch({ isFree: (url) => url.port === String(port) });
  const headers = { "Transfer-Encoding": "chunked" };
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x", headers });
  expect([response.status, seen.at(-1)]).toEqual([200, `127.0.0.1:${port} ""`]);
  await response.body?.cancel();
});
