import { expect, test } from "vitest";
import { networkOf } from "./network-of.ts";

test("an IPv4 address is an origin of its own, however it is written", () => {
  expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf(undefined)).toBe("");
});

test("all IPv6 addresses of one /64 are one origin, and the next /64 is another", () => {
  const network = networkOf("2001:db8:0:1::1");
  expect(network).toBe("2001:db8:0:1::/64");
  expect(networkOf("2001:0db8:0000:0001:ffff:1:2:3")).toBe(network);
  expect(networkOf("2001:db8:0:2::1")).not.toBe(network);
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
});
