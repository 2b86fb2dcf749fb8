// Drives a running server with the official .NET SDK. Prints one line for each step that was done.
using System.Collections.Concurrent;
using GitHub.Copilot;
using GitHub.Copilot.Rpc;
using Microsoft.Extensions.AI;
// Both namespaces of the SDK have one.
using ProviderConfig = GitHub.Copilot.ProviderConfig;

var sessionId = Read("SESSION_ID");
var calls = new ConcurrentDictionary<string, int>();

await using var client = new CopilotClient(new CopilotClientOptions
{
    Connection = RuntimeConnection.ForUri(
        Read("RIGHTSEAT_ADDRESS"),
        Environment.GetEnvironmentVariable("CONNECTION_TOKEN")),
});
await client.StartAsync();
await (args[0] == "2" ? SecondPhaseAsync() : FirstPhaseAsync());

async Task FirstPhaseAsync()
{
    Console.WriteLine($"status: protocol {(await client.GetStatusAsync()).ProtocolVersion}");

    var session = await client.CreateSessionAsync(new SessionConfig
    {
        SessionId = sessionId,
        Model = "scripted",
        Streaming = true,
        Provider = Provider(),
        Tools = [Tool("weather"), Tool("forbidden")],
        OnPermissionRequest = DecideAsync,
    });
    Expect(session.SessionId == sessionId, "another session id");
    Console.WriteLine("create: the session has the id that was asked for");

    Console.WriteLine($"send: {await AskAsync(session, "echo forty-two")}");

    var deltas = new ConcurrentQueue<string>();
    string? message;
    using (session.On<AssistantMessageDeltaEvent>(delta => deltas.Enqueue(delta.Data.DeltaContent)))
    {
        message = await AskAsync(session, "words 20");
    }
    Expect(string.Concat(deltas) == message, "the deltas do not make up the message");
    Console.WriteLine($"stream: {deltas.Count} deltas make up the message");

    var answer = await AskAsync(session, "tool weather 1");
    Console.WriteLine($"tool: {answer} after {calls["weather"]} call");

    await AskAsync(session, "tool forbidden 1");
    Expect(!calls.ContainsKey("forbidden"), "the forbidden tool ran");
    Console.WriteLine("permission: refused, the tool did not run");

    Console.WriteLine($"list: {(await client.ListSessionsAsync()).Count} session");
}

async Task SecondPhaseAsync()
{
    var session = await client.ResumeSessionAsync(sessionId, new ResumeSessionConfig
    {
        Model = "scripted",
        Streaming = true,
        Provider = Provider(),
        OnPermissionRequest = DecideAsync,
    });
    var history = await session.GetEventsAsync();
    Expect(
        history.OfType<AssistantMessageEvent>().Any(message => message.Data.Content == "forty-two"),
        "the first answer is not in the history");
    Console.WriteLine($"resume: {await AskAsync(session, "echo and this")}");

    await session.DisposeAsync();
    Console.WriteLine("disconnect: ok");

    await client.DeleteSessionAsync(sessionId);
    Console.WriteLine($"delete: {(await client.ListSessionsAsync()).Count} sessions");
}

async Task<string?> AskAsync(CopilotSession session, string prompt) =>
    (await session.SendAndWaitAsync(prompt))?.Data.Content;

// A tool that counts its calls.
AIFunction Tool(string name) => CopilotTool.DefineTool(
    (double n, string value) =>
    {
        calls.AddOrUpdate(name, 1, (_, count) => count + 1);
        return $"weather {value}";
    },
    factoryOptions: new AIFunctionFactoryOptions { Name = name, Description = name });

// Lets every tool run but the one called "forbidden".
Task<PermissionDecision> DecideAsync(PermissionRequest request, PermissionInvocation invocation) =>
    Task.FromResult(request is PermissionRequestCustomTool { ToolName: "forbidden" }
        ? PermissionDecision.Reject("not this one")
        : PermissionDecision.ApproveOnce());

ProviderConfig Provider() => new() { Type = "openai", BaseUrl = Read("MODEL_URL"), ApiKey = "a-key" };

static string Read(string name) =>
    Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"expected {name} to be set");

static void Expect(bool holds, string otherwise)
{
    if (!holds)
    {
        throw new InvalidOperationException(otherwise);
    }
}
