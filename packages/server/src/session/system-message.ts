/** The system message of a session's next model call. */
import { buildSystemMessage } from "../agent/system-message.ts";
import type { Session } from "./session.ts";
import { resolveWorkingContext } from "./working-context.ts";

export async function systemMessageOf(session: Session): Promise<string> {
  const cwd = session.settings.workingDirectory ?? session.state.workingDirectory ?? process.cwd();
  const context = await resolveWorkingContext(cwd);
  const { text } = await buildSystemMessage({
    config: session.settings.systemMessage as never,
    environment: { workingDirectory: cwd, gitRoot: context.gitRoot, gitBranch: context.branch },
    transform: async (sections) => {
      for (const attachment of session.attachments.values()) {
        if (!attachment.transformsSystemMessage) continue;
        const answer = await attachment.link.request("systemMessage.transform", {
          sessionId: session.id,
          sections,
        });
        return (answer as { sections: typeof sections }).sections;
      }
      return sections;
    },
  });
  return text;
}
