/** Checks of the fields of calls; loaded with the first call, or soon after the start. */

import { LazyValidators } from "../rpc/lazy-validators.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import { checkFields, honoured, within } from "../session/members/field-rules.ts";
import type { PublishedFields } from "../session/members/published-fields.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { SeldomLines } from "../strangers/seldom-lines.ts";

export interface FieldChecks {
  readonly validators: LazyValidators;
  /** Tells the client, or the log, of fields that nobody knows. */
  noteUnknown(link: ClientLink, tenant: string, method: string, params: object): void;
}

export function createFieldChecks(registry: SessionRegistry, seldomLines: SeldomLines): FieldChecks {
  let published: PublishedFields | undefined;
  return {
    validators: new LazyValidators(async () => {
      const [{ paramsValidators, knownFields }, { PublishedFields }] = await Promise.all([
        import("@rightseat/protocol/validators"),
        import("../session/members/published-fields.ts"),
      ]);
      published = new PublishedFields(knownFields, { checkFields, honoured, within });
      return paramsValidators;
    }),
    noteUnknown: (link, tenant, method, params) => {
      const fields = published?.unknownIn(method, params) ?? [];
      if (fields.length === 0) return;
      const { sessionId } = params as { sessionId?: unknown };
      const session = typeof sessionId === "string" ? registry.find({ tenant, sessionId }) : undefined;
      if (session?.attachments.has(link)) warnOfFields(session, link, fields);
      else seldomLines.write("fields of a call are not known and have no effect", { method, fields }, method);
    },
  };
}
