/** Methods that change a session's settings while it is open, or tell its tools and models. */
import type { ModelTool } from "../models/model-provider.ts";
import { replaceTools } from "../session/abilities/tools/check-tools.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { SET_TOOLS_FIELDS } from "../session/members/nested-fields.ts";
import { setReasoningEffort } from "../session/open/change-session.ts";
import { modelQueryOf } from "../session/open/model-query.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { updateOptions } from "../sessions/update-options.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";
import { toWireModel } from "./wire-model.ts";

export function sessionOptionsMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.options.update": ofSession(async (session, params, scope) => {
      await updateOptions(services.join, session, scope.link, params);
      return { success: true };
    }),
    "session.tools.set": ofSession((session, params, scope) => {
      const unheard = checkFields("session.tools.set", params, SET_TOOLS_FIELDS);
      replaceTools(session, scope.link, params.tools, services.join.builtInTools);
      warnOfFields(session, scope.link, unheard);
      return {};
    }),
    "session.tools.getCurrentMetadata": ofSession((session) => {
      const { definitions, waiting = [] } = services.runs.toolSet(session);
      return { tools: [...definitions.map(toMetadata), ...waiting.map(toWaitingMetadata)] };
    }),
    "session.model.list": ofSession(async (session, _params, scope) => {
      const models = await services.models.list(
        modelQueryOf(session, services.inferences, false),
        scope.signal,
      );
      return { list: models.map(toWireModel) };
    }),
    "session.model.setReasoningEffort": ofSession(async (session, params) => {
      setReasoningEffort(session, params.reasoningEffort);
      await session.committed();
      return { reasoningEffort: params.reasoningEffort };
    }),
  } satisfies Methods;
}

function toMetadata({ name, description, parameters }: ModelTool) {
  return { name, description, input_schema: parameters };
}

function toWaitingMetadata(tool: ModelTool) {
  return { ...toMetadata(tool), deferLoading: true };
}
