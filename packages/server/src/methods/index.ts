/** All methods that clients may call. */

import { serverMethods } from "./server.ts";
import type { Methods, Services } from "./services.ts";
import { sessionMethods } from "./session.ts";
import { sessionAccountMethods } from "./session-account.ts";
import { sessionAnswerMethods } from "./session-answers.ts";
import { sessionMetadataMethods } from "./session-metadata.ts";
import { sessionOptionsMethods } from "./session-options.ts";
import { sessionsMethods } from "./sessions.ts";
import { workspaceMethods } from "./workspace.ts";

export function createMethods(services: Services): Methods {
  return {
    ...serverMethods(services),
    ...sessionsMethods(services),
    ...sessionMethods(services),
    ...sessionAnswerMethods(services),
    ...sessionMetadataMethods(services),
    ...sessionOptionsMethods(services),
    ...sessionAccountMethods(services),
    ...workspaceMethods(services),
  };
}
