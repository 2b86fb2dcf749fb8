"""Drives a running server with Microsoft's Agent Framework. Prints one line for each step that was done."""

import asyncio
import os

from agent_framework import tool
from agent_framework_github_copilot import GitHubCopilotAgent
from copilot import CopilotClient, RuntimeConnection
from copilot.rpc import PermissionDecisionApproveOnce

calls = []


@tool(approval_mode="never_require")
def weather(n: float = 0, value: str = "") -> str:
    """Tells the weather."""
    calls.append(value)
    return f"weather {value}"


async def main():
    connection = RuntimeConnection.for_uri(
        os.environ["RIGHTSEAT_ADDRESS"], connection_token=os.environ.get("CONNECTION_TOKEN")
    )
    options = {
        "model": "scripted",
        "provider": {"type": "openai", "base_url": os.environ["MODEL_URL"], "api_key": "a-key"},
        "on_permission_request": lambda request, invocation: PermissionDecisionApproveOnce(),
    }
    async with CopilotClient(connection=connection) as client:
        async with GitHubCopilotAgent(client=client, tools=[weather], default_options=options) as agent:
            session = agent.create_session()
            print(f"run: {await agent.run('echo forty-two', session=session)}")
            print(f"again: {await agent.run('echo and this', session=session)}")
            print(f"tool: {await agent.run('tool weather 1', session=session)} after {len(calls)} call")
            pieces = [update.text async for update in agent.run("words 20", session=session, stream=True)]
            assert "".join(pieces).split()[-1] == "w19", pieces
            print("stream: the pieces make up the message")
        print(f"list: {len(await client.list_sessions())} session")


asyncio.run(main())
