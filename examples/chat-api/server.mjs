import { once } from "node:events";
import { createApp } from "./app.mjs";
import { createRuntime } from "./runtime.mjs";

const { PORT = "3000", CLI_URL = "localhost:4321", COPILOT_CONNECTION_TOKEN, MODEL } = process.env;

const runtime = createRuntime({ address: CLI_URL, connectionToken: COPILOT_CONNECTION_TOKEN });

const server = createApp(runtime, { model: MODEL }).listen(Number(PORT));
await once(server, "listening");
console.log(`chat-api listens on port ${server.address().port}, the runtime is ${CLI_URL}`);

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    console.log(`${signal}: finishing the requests that are under way`);
    server.close(() => runtime.disconnect());
    // Connections that are kept alive would hold up the end once their last request is answered.
    setInterval(() => server.closeIdleConnections(), 100).unref();
  });
}
