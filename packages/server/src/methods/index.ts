/** All methods that clients may call. */

import { withAdmission } from "./admission.ts";
import { commandMethods } from "./commands.ts";
import { hostSourceMethods } from "./host-sources.ts";
import { withOlderNames } from "./older-names.ts";
import { permissionMethods } from "./permissions.ts";
import { seldomMethods } from "./seldom-methods.ts";
import { serverMethods } from "./server.ts";
import type { Methods, Services } from "./services.ts";
import { sessionMethods } from "./session.ts";
import { sessionAccountMethods } from "./session-account.ts";
import { sessionAgentMethods } from "./session-agent.ts";
import { sessionAnswerMethods } from "./session-answers.ts";
import { sessionAuthMethods } from "./session-auth.ts";
import { sessionCustomizationMethods } from "./session-customizations.ts";
import { sessionExtrasMethods } from "./session-extras.ts";
import { sessionMetadataMethods } from "./session-metadata.ts";
import { sessionModeMethods } from "./session-mode.ts";
import { sessionOptionsMethods } from "./session-options.ts";
import { sessionQueueMethods } from "./session-queue.ts";
import { sessionShellMethods } from "./session-shell.ts";
import { sessionUiMethods } from "./session-ui.ts";
import { sessionsMethods } from "./sessions.ts";
import { withStoreRefusals } from "./store-refusals.ts";

export function createMethods(services: Services): Methods {
  const methods: Methods = {
    ...serverMethods(services),
    ...commandMethods(services),
    ...sessionsMethods(services),
    ...sessionMethods(services),
    ...sessionAgentMethods(services),
    ...sessionAnswerMethods(services),
    ...sessionCustomizationMethods(services),
    ...sessionExtrasMethods(services),
    ...sessionMetadataMethods(services),
    ...sessionQueueMethods(services),
    ...sessionShellMethods(services),
    ...sessionModeMethods(services),
    ...permissionMethods(services),
    ...sessionOptionsMethods(services),
    ...sessionAccountMethods(services),
    ...sessionAuthMethods(services),
    ...sessionUiMethods(services),
    ...hostSourceMethods(services),
    ...seldomMethods(services),
  };
  return withStoreRefusals(withAdmission(services, withOlderNames(methods)));
}
