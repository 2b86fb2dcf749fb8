/** All methods that clients may call. */

import { withAdmission } from "./admission.ts";
import { asCheckedMethods, type CheckedMethods } from "./method.ts";
import { withOlderNames } from "./older-names.ts";
import { seldomMethods } from "./seldom-methods.ts";
import { serverMethods } from "./server.ts";
import type { Services } from "./services.ts";
import { sessionMethods } from "./session.ts";
import { sessionAnswerMethods } from "./session-answers.ts";
import { sessionsMethods } from "./sessions.ts";
import { withStoreRefusals } from "./store-refusals.ts";

export function createMethods(services: Services): CheckedMethods {
  const methods: CheckedMethods = {
    ...asCheckedMethods({
      ...serverMethods(services),
      ...sessionsMethods(services),
      ...sessionMethods(services),
      ...sessionAnswerMethods(services),
    }),
    ...seldomMethods(services),
  };
  return withStoreRefusals(withAdmission(services, withOlderNames(methods)));
}
