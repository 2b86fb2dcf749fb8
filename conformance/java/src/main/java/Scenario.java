import com.github.copilot.sdk.CopilotClient;
import com.github.copilot.sdk.CopilotSession;
import com.github.copilot.sdk.generated.AssistantMessageDeltaEvent;
import com.github.copilot.sdk.generated.AssistantMessageEvent;
import com.github.copilot.sdk.json.CopilotClientOptions;
import com.github.copilot.sdk.json.PermissionInvocation;
import com.github.copilot.sdk.json.PermissionRequest;
import com.github.copilot.sdk.json.PermissionRequestResult;
import com.github.copilot.sdk.json.PermissionRequestResultKind;
import com.github.copilot.sdk.json.ProviderConfig;
import com.github.copilot.sdk.json.ResumeSessionConfig;
import com.github.copilot.sdk.json.SessionConfig;
import com.github.copilot.sdk.json.ToolDefinition;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Drives a running server with the official Java SDK. Prints one line for each step that was done. */
public final class Scenario {
    private static final String SESSION_ID = System.getenv("SESSION_ID");

    private final CopilotClient client;
    private final Map<String, Integer> calls = new ConcurrentHashMap<>();
    /** This version's permission requests do not name their tool, so the user decides by what was asked last. */
    private volatile boolean refuses;

    private Scenario(CopilotClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new CopilotClientOptions().setCliUrl(System.getenv("RIGHTSEAT_ADDRESS")).setUseStdio(false);
        try (var client = new CopilotClient(options)) {
            client.start().get();
            var scenario = new Scenario(client);
            if (arguments[0].equals("2")) {
                scenario.secondPhase();
            } else {
                scenario.firstPhase();
            }
        }
    }

    private void firstPhase() throws Exception {
        System.out.println("status: protocol " + client.getStatus().get().getProtocolVersion());

        var session = client.createSession(new SessionConfig()
                .setSessionId(SESSION_ID)
                .setModel("scripted")
                .setStreaming(true)
                .setProvider(provider())
                .setTools(List.of(tool("weather"), tool("forbidden")))
                .setOnPermissionRequest(this::decide)).get();
        expect(session.getSessionId().equals(SESSION_ID), "another session id");
        System.out.println("create: the session has the id that was asked for");

        System.out.println("send: " + ask(session, "echo forty-two"));

        var deltas = new CopyOnWriteArrayList<String>();
        String message;
        try (var listening = session.on(AssistantMessageDeltaEvent.class,
                delta -> deltas.add(delta.getData().deltaContent()))) {
            message = ask(session, "words 20");
        }
        expect(String.join("", deltas).equals(message), "the deltas do not make up the message");
        System.out.println("stream: " + deltas.size() + " deltas make up the message");

        var answer = ask(session, "tool weather 1");
        System.out.println("tool: " + answer + " after " + calls.get("weather") + " call");

        refuses = true;
        ask(session, "tool forbidden 1");
        expect(!calls.containsKey("forbidden"), "the forbidden tool ran");
        System.out.println("permission: refused, the tool did not run");

        System.out.println("list: " + client.listSessions().get().size() + " session");
    }

    private void secondPhase() throws Exception {
        var session = client.resumeSession(SESSION_ID, new ResumeSessionConfig()
                .setModel("scripted")
                .setStreaming(true)
                .setProvider(provider())
                .setOnPermissionRequest(this::decide)).get();
        var remembered = session.getMessages().get().stream().anyMatch(
                event -> event instanceof AssistantMessageEvent message && message.getData().content().equals("forty-two"));
        expect(remembered, "the first answer is not in the history");
        System.out.println("resume: " + ask(session, "echo and this"));

        session.close();
        System.out.println("disconnect: ok");

        client.deleteSession(SESSION_ID).get();
        System.out.println("delete: " + client.listSessions().get().size() + " sessions");
    }

    private static ProviderConfig provider() {
        return new ProviderConfig().setType("openai").setBaseUrl(System.getenv("MODEL_URL")).setApiKey("a-key");
    }

    private static String ask(CopilotSession session, String prompt) throws Exception {
        return session.sendAndWait(prompt).get().getData().content();
    }

    /** A tool that counts its calls. */
    private ToolDefinition tool(String name) {
        Map<String, Object> schema = Map.of(
                "type", "object",
                "properties", Map.of("n", Map.of("type", "number"), "value", Map.of("type", "string")));
        return ToolDefinition.create(name, name, schema, invocation -> {
            calls.merge(name, 1, Integer::sum);
            return CompletableFuture.completedFuture("weather " + invocation.getArguments().get("value"));
        });
    }

    private CompletableFuture<PermissionRequestResult> decide(
            PermissionRequest request, PermissionInvocation invocation) {
        var kind = refuses ? PermissionRequestResultKind.REJECTED : PermissionRequestResultKind.APPROVED;
        return CompletableFuture.completedFuture(new PermissionRequestResult().setKind(kind));
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
