#!/usr/bin/env node
// Starts the server. The compiled code is cached between starts where Node can (22.8 and newer).
import module from "node:module";

module.enableCompileCache?.();
const { run } = await import("../dist/rightseat.js");
await run(process.argv.slice(2));
