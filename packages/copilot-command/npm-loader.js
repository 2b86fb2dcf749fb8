#!/usr/bin/env node
// Another name by which clients start the runtime.
import "./index.js";
