"""Drives a running server with the official Python SDK. Prints one line for each step that was done."""

import asyncio
import os
import sys

from copilot import CopilotClient, RuntimeConnection, Tool, ToolResult
from copilot.rpc import PermissionDecisionApproveOnce, PermissionDecisionReject
from copilot.session_events import AssistantMessageDeltaData, SessionIdleData, SessionWarningData

SESSION_ID = os.environ["SESSION_ID"]
MODEL = {
    "model": "scripted",
    "streaming": True,
    "provider": {"type": "openai", "base_url": os.environ["MODEL_URL"], "api_key": "a-key"},
}


class Application:
    """Two tools that note their calls, and a user who lets only the first one run."""

    def __init__(self):
        self.calls = {"weather": 0, "forbidden": 0}

    def tools(self):
        parameters = {"type": "object", "properties": {"n": {"type": "number"}, "value": {"type": "string"}}}
        return [Tool(name=name, description=name, parameters=parameters, handler=self.run) for name in self.calls]

    def run(self, invocation):
        self.calls[invocation.tool_name] += 1
        return ToolResult(text_result_for_llm=f"weather {invocation.arguments['value']}")

    def decide(self, request, _invocation):
        if request.tool_name == "forbidden":
            return PermissionDecisionReject(feedback="not this one")
        return PermissionDecisionApproveOnce()


async def ask(session, prompt):
    answer = await session.send_and_wait(prompt)
    return answer.data.content


async def first_phase(client, application):
    status = await client.get_status()
    print(f"status: protocol {status.protocol_version}")

    session = await client.create_session(
        session_id=SESSION_ID, tools=application.tools(), on_permission_request=application.decide, **MODEL
    )
    assert session.session_id == SESSION_ID
    print("create: the session has the id that was asked for")

    print(f"send: {await ask(session, 'echo forty-two')}")

    deltas = []

    def collect(event):
        if isinstance(event.data, AssistantMessageDeltaData):
            deltas.append(event.data.delta_content)

    stop_collecting = session.on(collect)
    message = await ask(session, "words 20")
    stop_collecting()
    assert "".join(deltas) == message
    print(f"stream: {len(deltas)} deltas make up the message")

    answer = await ask(session, "tool weather 1")
    print(f"tool: {answer} after {application.calls['weather']} call")

    await ask(session, "tool forbidden 1")
    assert application.calls["forbidden"] == 0
    print("permission: refused, the tool did not run")

    print(f"list: {len(await client.list_sessions())} session")

    if os.environ.get("BLOCKED"):
        await blocked(client, application)


async def blocked(client, application):
    """A hook refuses a prompt: a warning, no traceback, and the session is idle again."""
    session = await client.create_session(
        hooks={"on_user_prompt_submitted": lambda _input, _context: {"decision": "block", "reason": "not now"}},
        on_permission_request=application.decide,
        **MODEL,
    )
    idle = asyncio.Event()
    warnings = []

    def listen(event):
        if isinstance(event.data, SessionWarningData):
            warnings.append(event.data.warning_type)
        if isinstance(event.data, SessionIdleData):
            idle.set()

    session.on(listen)
    await session.send("echo no")
    await idle.wait()
    print(f"blocked: {', '.join(warnings)}")
    idle.clear()
    assert await session.send_and_wait("echo no again") is None
    await client.delete_session(session.session_id)


async def second_phase(client, application):
    session = await client.resume_session(SESSION_ID, on_permission_request=application.decide, **MODEL)
    contents = [getattr(event.data, "content", None) for event in await session.get_events()]
    assert "forty-two" in contents
    print(f"resume: {await ask(session, 'echo and this')}")

    await session.disconnect()
    print("disconnect: ok")

    await client.delete_session(SESSION_ID)
    print(f"delete: {len(await client.list_sessions())} sessions")


async def main():
    token = os.environ.get("CONNECTION_TOKEN")
    connection = RuntimeConnection.for_uri(os.environ["RIGHTSEAT_ADDRESS"], connection_token=token)
    phase = {"1": first_phase, "2": second_phase}[sys.argv[1]]
    async with CopilotClient(connection=connection) as client:
        await phase(client, Application())


asyncio.run(main())
