// A conversation with the official SDK that outlives its server. No key, no network, under ten seconds.
import { CopilotClient, defineTool, RuntimeConnection } from "@github/copilot-sdk";
import { runStory } from "../support/run-story.mjs";
import { startServer } from "../support/start-server.mjs";

const SESSION_ID = "ada-first-chat";

await runStory("demo", async ({ step, say, verify, defer, tempDir }) => {
  const home = await tempDir();

  step("Start a server with the built-in demo model");
  const first = await startServer({ home });
  defer(first.stop);
  say(`rightseat --headless --demo listens on ${first.address}, its sessions are in ${home}`);

  step("Connect the official SDK; the address is all it needs to know");
  const client = new CopilotClient({ connection: RuntimeConnection.forUri(first.address), mode: "empty" });
  defer(() => client.forceStop());
  await client.start();
  const { version, protocolVersion } = await client.getStatus();
  say(`server ${version}, protocol ${protocolVersion}`);

  step(`Create the session "${SESSION_ID}" with a tool of our own, and tell it something`);
  const asked = [];
  const session = await client.createSession(sessionConfig(asked));
  const noted = await converse(session, "My name is Ada and my favourite city is Lisbon.", say);
  verify(noted.answer.includes("Ada"), "the model took note of the name");

  step("Ask something that only our tool knows");
  const weather = await converse(session, "What is the weather in Oslo?", say);
  verify(
    asked.length === 1 && asked[0].city === "Oslo",
    'the model called get_weather({"city":"Oslo"}) in this process',
  );
  verify(weather.answer.includes("-3 °C and snow"), "the answer is made of what the tool returned");
  verify(weather.deltas > 1, `the answer came as a stream, in ${weather.deltas} pieces`);

  step("Kill the server (SIGKILL: nothing gets a chance to be saved)");
  const { signal } = await first.kill();
  verify(signal === "SIGKILL", "the server is gone");

  step("Start another one on the same directory and resume the session");
  const second = await startServer({ home });
  defer(second.stop);
  const laterClient = new CopilotClient({
    connection: RuntimeConnection.forUri(second.address),
    mode: "empty",
  });
  defer(() => laterClient.forceStop());
  const resumed = await laterClient.resumeSession(SESSION_ID, sessionConfig(asked));
  const events = await resumed.getEvents();
  const prompts = events.filter((event) => event.type === "user.message").length;
  say(`${events.length} events in the log of the session`);
  verify(prompts === 2, "both earlier prompts are there");

  step("Ask something that needs the earlier conversation");
  const name = await converse(resumed, "What is my name?", say);
  verify(name.answer.includes("Ada"), "the session still knows the name");
  const city = await converse(resumed, "And what is my favourite city?", say);
  verify(city.answer.includes("Lisbon"), "and the city");

  step("Say good-bye");
  const problems = await laterClient.stop();
  verify(problems.length === 0, "the client disconnected without complaint");
  const { code } = await second.stop();
  verify(code === 0, "the server ended in order on SIGTERM");
});

/** The same for creating and resuming: tools live in this process and are offered anew each time. */
function sessionConfig(asked) {
  const getWeather = defineTool("get_weather", {
    description: "The weather in a city, now",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    skipPermission: true,
    handler: ({ city }) => {
      asked.push({ city });
      return `-3 °C and snow in ${city}`;
    },
  });
  return { sessionId: SESSION_ID, streaming: true, tools: [getWeather], availableTools: ["custom:*"] };
}

/** Sends a prompt, shows the answer while it comes, and tells how. */
async function converse(session, prompt, say) {
  say(`you:   ${prompt}`);
  process.stdout.write("   model: ");
  let deltas = 0;
  const stopListening = session.on("assistant.message_delta", ({ data }) => {
    deltas++;
    process.stdout.write(data.deltaContent);
  });
  const message = await session.sendAndWait({ prompt });
  stopListening();
  process.stdout.write("\n");
  return { answer: message?.data.content ?? "", deltas };
}
