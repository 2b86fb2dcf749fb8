import { expect, test } from "vitest";
import { coversUrl, isUrlPattern } from "./url-pattern.ts";

test.each([
  ["example.com", "https://example.com/a", true],
  ["example.com", "https://EXAMPLE.com", true],
  ["example.com", "https://sub.example.com/", false],
  ["example.com", "https://example.com.evil.org/", false],
  ["example.com", "https://evilexample.com/", false],
  ["example.com", "http://example.com/", false],
  ["example.com", "https://example.com:8443/", false],
  ["http://example.com", "http://example.com/x", true],
  ["example.com:8443", "https://example.com:8443/x", true],
  ["*.example.com", "https://a.b.example.com/", true],
  ["*.example.com", "https://example.com/", false],
  ["https://example.com/docs", "https://example.com/docs", true],
  ["https://example.com/docs", "https://example.com/docs/a", true],
  ["https://example.com/docs", "https://example.com/docs-of-others", false],
  ["https://example.com/docs", "https://example.com/docs/../admin", false],
  ["example.com", "https://example.com@evil.org/", false],
  ["example.com", "ftp://example.com/", false],
  ["example.com", "not a url", false],
])("%s and %s: %s", (pattern, url, expected) => expect(coversUrl(pattern, url)).toBe(expected));

test("what is no pattern is known", () => {
  for (const pattern of ["", "*", "*.", "https://", "a.*.b", "exa mple.com", "file:///etc"])
    expect(isUrlPattern(pattern), pattern).toBe(false);
  for (const pattern of ["example.com", "*.example.com", "http://localhost:3000/x"])
    expect(isUrlPattern(pattern), pattern).toBe(true);
});
