import { defineConfig } from "vitest/config";

/** Resolves workspace packages to their source, so that tests need no build of them. */
const conditions = ["rightseat-source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/**/*.test.ts", "testing/**/*.test.ts", "conformance/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    environment: "node",
    pool: "forks",
    testTimeout: 15_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
    // What is to come about in the end has as long as a busy machine needs; deadlines that are promised are in the tests.
    expect: { poll: { timeout: 10_000 } },
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    // Names what keeps a worker alive when a test leaves something open.
    reporters: ["default", "hanging-process"],
  },
});
