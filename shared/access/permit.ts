import type { Digest } from '../domain/digest.ts';
import type { Action, ResourceOf } from '../gates/policy/actions.ts';
import type { PolicyDecision } from '../gates/policy/engine.ts';
import { decide } from '../gates/policy-decision.ts';
import { type Actor, DocumentNotLoaded, type PlaneContext } from '../line/context.ts';
import type { DocumentCache } from '../plane/documents.ts';

/** A policy question outside a command: definitions that are not in memory are loaded, and it is asked again. */
export type Ask = <A extends Action>(
  definitions: Digest | null,
  actor: Actor,
  action: A,
  resource: ResourceOf<A>,
) => Promise<PolicyDecision>;

export function createAsk(context: PlaneContext, documents: DocumentCache): Ask {
  return async (definitions, actor, action, resource) => {
    for (;;) {
      try {
        return decide(context, definitions, actor, Date.now(), action, resource);
      } catch (error) {
        if (!(error instanceof DocumentNotLoaded)) throw error;
        await documents.load(error);
      }
    }
  };
}
