//! Drives a running server with the official Rust SDK. Prints one line for each step that was done.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use github_copilot_sdk::handler::{PermissionHandler, PermissionResult};
use github_copilot_sdk::session::Session;
use github_copilot_sdk::session_events::{AssistantMessageData, AssistantMessageDeltaData};
use github_copilot_sdk::tool::ToolHandler;
use github_copilot_sdk::types::{
    PermissionRequestData, ProviderConfig, RequestId, ResumeSessionConfig, SessionConfig, SessionId, Tool,
    ToolInvocation, ToolResult,
};
use github_copilot_sdk::{CliProgram, Client, ClientOptions, Error, Transport};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let address = env::var("RIGHTSEAT_ADDRESS")?;
    let (host, port) = address.split_once(':').ok_or("expected RIGHTSEAT_ADDRESS as host:port")?;
    let connection_token = env::var("CONNECTION_TOKEN").ok();
    let transport = Transport::External { host: host.into(), port: port.parse()?, connection_token };
    // The SDK wants a path to a runtime even when it starts none.
    let nothing_to_start = CliProgram::Path(env::current_exe()?);
    let client = Client::start(ClientOptions::new().with_program(nothing_to_start).with_transport(transport)).await?;
    match env::args().nth(1).as_deref() {
        Some("2") => second_phase(&client).await?,
        _ => first_phase(&client).await?,
    }
    client.stop().await?;
    Ok(())
}

fn session_id() -> Result<SessionId, Failure> {
    Ok(SessionId::from(env::var("SESSION_ID")?))
}

fn provider() -> Result<ProviderConfig, Failure> {
    Ok(ProviderConfig::new(env::var("MODEL_URL")?).with_provider_type("openai").with_api_key("a-key"))
}

async fn first_phase(client: &Client) -> Result<(), Failure> {
    println!("status: protocol {}", client.get_status().await?.protocol_version);

    let calls = Calls::default();
    let config = SessionConfig::default()
        .with_session_id(session_id()?)
        .with_model("scripted")
        .with_streaming(true)
        .with_provider(provider()?)
        .with_tools([calls.tool("weather"), calls.tool("forbidden")])
        .with_permission_handler(Arc::new(Decide));
    let session = client.create_session(config).await?;
    expect(session.id() == &session_id()?, "another session id")?;
    println!("create: the session has the id that was asked for");

    println!("send: {}", ask(&session, "echo forty-two").await?);
    println!("stream: {} deltas make up the message", stream(&session).await?);

    let answer = ask(&session, "tool weather 1").await?;
    println!("tool: {answer} after {} call", calls.of("weather"));

    ask(&session, "tool forbidden 1").await?;
    expect(calls.of("forbidden") == 0, "the forbidden tool ran")?;
    println!("permission: refused, the tool did not run");

    println!("list: {} session", client.list_sessions(None).await?.len());
    Ok(())
}

async fn second_phase(client: &Client) -> Result<(), Failure> {
    let config = ResumeSessionConfig::new(session_id()?)
        .with_model("scripted")
        .with_streaming(true)
        .with_provider(provider()?)
        .with_permission_handler(Arc::new(Decide));
    let session = client.resume_session(config).await?;
    let history = session.get_events().await?;
    let remembered = history
        .iter()
        .filter(|event| event.event_type == "assistant.message")
        .filter_map(|event| event.typed_data::<AssistantMessageData>())
        .any(|message| message.content == "forty-two");
    expect(remembered, "the first answer is not in the history")?;
    println!("resume: {}", ask(&session, "echo and this").await?);

    session.disconnect().await?;
    println!("disconnect: ok");

    client.delete_session(&session_id()?).await?;
    println!("delete: {} sessions", client.list_sessions(None).await?.len());
    Ok(())
}

async fn ask(session: &Session, prompt: &str) -> Result<String, Failure> {
    let answer = session.send_and_wait(prompt).await?.ok_or("no answer")?;
    Ok(answer.typed_data::<AssistantMessageData>().ok_or("no message of the assistant")?.content)
}

/// Collects what a turn streams, until it is idle. Returns the number of deltas.
async fn stream(session: &Session) -> Result<usize, Failure> {
    let mut events = session.subscribe();
    session.send("words 20").await?;
    let mut deltas = Vec::new();
    let mut message = String::new();
    loop {
        let event = events.recv().await?;
        match event.event_type.as_str() {
            "assistant.message_delta" => {
                let delta = event.typed_data::<AssistantMessageDeltaData>().ok_or("a malformed delta")?;
                deltas.push(delta.delta_content);
            }
            "assistant.message" => {
                message = event.typed_data::<AssistantMessageData>().ok_or("a malformed message")?.content;
            }
            "session.idle" => break,
            _ => {}
        }
    }
    expect(deltas.concat() == message, "the deltas do not make up the message")?;
    Ok(deltas.len())
}

fn expect(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// Lets every tool run but the one called "forbidden".
struct Decide;

#[async_trait]
impl PermissionHandler for Decide {
    async fn handle(&self, _: SessionId, _: RequestId, data: PermissionRequestData) -> PermissionResult {
        match data.extra.pointer("/permissionRequest/toolName").and_then(|name| name.as_str()) {
            Some("forbidden") => PermissionResult::reject("not this one".to_string()),
            _ => PermissionResult::approve_once(),
        }
    }
}

/// Counts how often each tool ran.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<HashMap<String, usize>>>);

impl Calls {
    fn tool(&self, name: &str) -> Tool {
        let parameters = json!({
            "type": "object",
            "properties": { "n": { "type": "number" }, "value": { "type": "string" } },
        });
        Tool::new(name).with_description(name).with_parameters(parameters).with_handler(Arc::new(self.clone()))
    }

    fn of(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

#[async_trait]
impl ToolHandler for Calls {
    async fn call(&self, invocation: ToolInvocation) -> Result<ToolResult, Error> {
        *self.0.lock().unwrap().entry(invocation.tool_name).or_default() += 1;
        Ok(ToolResult::Text(format!("weather {}", invocation.arguments["value"])))
    }
}
