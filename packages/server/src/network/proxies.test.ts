import { describe, expect, test } from "vitest";
import { createProxies, seemsPrivate } from "./proxies.ts";

const proxy = new URL("http://proxy.example:3128");

describe("NO_PROXY", () => {
  test.each([
    ["corp.example", "http://corp.example/", false],
    ["corp.example", "http://a.corp.example/", false],
    ["corp.example", "http://mycorp.example/", true],
    [".corp.example", "http://a.b.corp.example/", false],
    ["*.corp.example", "http://a.corp.example/", false],
    ["CORP.example", "http://A.Corp.Example/", false],
    ["corp.example:8080", "http://corp.example:8080/", false],
    ["corp.example:8080", "http://corp.example/", true],
    ["corp.example:443", "https://corp.example/", false],
    ["*", "http://anything.example/", false],
    ["10.0.0.0/8", "http://10.2.3.4/", false],
    ["10.0.0.0/8", "http://11.2.3.4/", true],
    ["192.168.1.1", "http://192.168.1.1:9000/", false],
    ["2001:db8::/32", "http://[2001:db8::7]/", false],
    ["[2001:db8::7]:80", "http://[2001:db8::7]/", false],
  ])("%s: whether %s goes through the proxy is %s", (exempt, url, takes) => {
    expect(createProxies({ http: proxy, https: proxy, exempt: [exempt] }).takes(new URL(url))).toBe(takes);
  });
});

test.each(["http://localhost/", "http://a.localhost/", "http://127.0.0.1/", "http://[::1]/"])(
  "%s is this machine, which no proxy takes",
  (url) => expect(createProxies({ http: proxy, exempt: [] }).takes(new URL(url))).toBe(false),
);

test("a scheme without a proxy goes straight to its host", () => {
  const proxies = createProxies({ http: proxy, exempt: [] });
  expect(proxies.takes(new URL("https://a.example/"))).toBe(false);
  expect(proxies.takes(new URL("http://a.example/"))).toBe(true);
});

test.each([
  ["one that resolves to a private address", "a.example", ["10.0.0.1"], true],
  ["one that resolves to a public and a private address", "a.example", ["1.1.1.1", "10.0.0.1"], true],
  ["one that resolves to a public address", "a.example", ["1.1.1.1"], false],
  ["one that only the proxy may know", "a.example", [], false],
  ["one of a private network by its form", "vault.internal", [], true],
  ["one without a dot", "vault", [], true],
])("%s seems private or not", async (_, host, addresses, expected) => {
  const lookUp = ((_name: string, _options: object, done: (error: Error | null, found: unknown) => void) =>
    addresses.length === 0
      ? done(new Error("ENOTFOUND"), [])
      : done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        )) as never;
  expect(await seemsPrivate(new URL(`http://${host}/`), lookUp)).toBe(expected);
});
