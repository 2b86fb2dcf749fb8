import { defineConfig } from "vitest/config";

/** Resolves workspace packages to their source, so that tests need no build of them. */
const conditions = ["rightseat-source"];

const NOT_OURS = ["**/node_modules/**", "**/dist/**"];
const UNITS = ["packages/*/src/**/*.test.ts"];
const WHOLE = ["packages/*/test/**/*.test.ts", "testing/**/*.test.ts", "conformance/test/**/*.test.ts"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    exclude: NOT_OURS,
    environment: "node",
    pool: "forks",
    testTimeout: 15_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
    // What is to come about in the end has as long as a busy machine needs; deadlines that are promised are in the tests.
    expect: { poll: { timeout: 10_000 } },
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      // Tests of one unit leave nothing behind: their files share a process, and load what they have in common once.
      { extends: true, test: { name: "units", include: UNITS, isolate: false } },
      { extends: true, test: { name: "whole", include: WHOLE, exclude: [...UNITS, ...NOT_OURS] } },
    ],
    // Names what keeps a worker alive when a test leaves something open.
    reporters: ["default", "hanging-process"],
  },
});
