/**
 * A program that uses much of what the SDK stands on: sockets, TLS, timers, streams. Prints what it saw,
 * which is the same in every JavaScript runtime.
 *
 * <runtime> program.mjs <SDK> '{"plain": address, "faulty": address, "secure": address, "ca": PEM, "model": URL}'
 */
const [sdk, given] = process.argv.slice(2);
const { approveAll, CopilotClient, defineTool, RuntimeConnection } = await import(sdk);
const { plain, faulty, secure, ca, model } = JSON.parse(given);

const TURNS = 40;
const provider = { type: "openai", baseUrl: `${model}/v1`, apiKey: "k" };
const base = { model: "scripted", provider, streaming: true, onPermissionRequest: approveAll };
const seen = {};

async function withClient(options, work) {
  const client = new CopilotClient(options);
  const result = await work(client);
  return { result, stopped: await client.stop() };
}

seen.tool = await withClient({ connection: RuntimeConnection.forUri(plain) }, async (client) => {
  const calls = [];
  const lookup = defineTool("lookup", {
    description: "Looks a value up",
    parameters: { type: "object", properties: {} },
    handler: (_args, { toolName }) => {
      calls.push(toolName);
      return "found";
    },
  });
  const session = await client.createSession({ ...base, tools: [lookup] });
  const answer = await session.sendAndWait("tool lookup 2");
  const prompts = [];
  for await (const { data } of session.events({ from: "start", types: ["user.message"] })) {
    prompts.push(data.content);
    if (prompts.length === 2) break;
    await session.send("echo next");
  }
  return { answer: answer.data.content, calls, prompts };
});

seen.secure = await withClient(
  { connection: RuntimeConnection.forUri(secure, { tls: { ca } }) },
  async (client) => {
    const session = await client.createSession(base);
    return (await session.sendAndWait("echo secret")).data.content;
  },
);

seen.faulty = await withClient(
  {
    connection: RuntimeConnection.forUri(faulty),
    reconnect: { initialDelayMs: 5, maxDelayMs: 50 },
  },
  async (client) => {
    while (client.getState() !== "connected") await client.start().catch(() => undefined);
    const events = [];
    const session = await client.createSession({ ...base, onEvent: (event) => events.push(event) });
    let right = 0;
    for (let turn = 0; turn < TURNS; turn++)
      if ((await session.sendAndWait(`echo ${turn}`)).data.content === String(turn)) right += 1;
    const told = events.filter(({ ephemeral }) => ephemeral !== true).map(({ id }) => id);
    const logged = (await session.getEvents()).map(({ id }) => id);
    return {
      right,
      prompts: events.filter(({ type }) => type === "user.message").length,
      same: told.join() === logged.join(),
    };
  },
);

const refused = await new CopilotClient({ connection: RuntimeConnection.forUri("localhost:1") })
  .start()
  .catch((error) => error);
seen.refused = refused.message.startsWith("Failed to connect to CLI server");
console.log(JSON.stringify(seen));
