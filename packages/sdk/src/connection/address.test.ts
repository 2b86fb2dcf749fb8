import { expect, test } from "vitest";
import { parseAddress, parseAddresses, toText } from "./address.ts";

test.each([
  ["4321", { host: "localhost", port: 4321, secure: false }],
  ["agents:1", { host: "agents", port: 1, secure: false }],
  [":65535", { host: "localhost", port: 65535, secure: false }],
  ["http://agents:80", { host: "agents", port: 80, secure: false }],
  ["TCP://agents:80/", { host: "agents", port: 80, secure: false }],
  ["https://agents:443", { host: "agents", port: 443, secure: true }],
  ["tls://10.0.0.1:4433", { host: "10.0.0.1", port: 4433, secure: true }],
  ["tls://[::1]:4433", { host: "::1", port: 4433, secure: true }],
  ["https://8443", { host: "localhost", port: 8443, secure: true }],
])("%s is read", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each(["", "agents", "agents:1:2", "ftp://agents:1", "agents:1/path", "::1:4321"])(
  "%j is refused as it is written",
  (text) => {
    expect(() => parseAddress(text)).toThrow(/^Invalid cliUrl format/);
  },
);

test.each(["0", "65536", "agents:0", "agents:x", "agents:-1"])("%j is refused for its port", (text) => {
  expect(() => parseAddress(text)).toThrow(/^Invalid port in cliUrl/);
});

test("several come as a list, with commas, or both", () => {
  const ports = (given: string | string[]) => parseAddresses(given).map(toText);
  expect(ports("a:1, b:2,,")).toEqual(["a:1", "b:2"]);
  expect(ports(["a:1", "b:2,[::1]:3"])).toEqual(["a:1", "b:2", "[::1]:3"]);
  expect(() => ports(" , ")).toThrow(/names no server/);
});
