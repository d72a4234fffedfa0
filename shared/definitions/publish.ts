import type { Artifacts } from '../artifacts/artifacts.ts';
import type { Digest } from '../domain/digest.ts';
import type { PrincipalId } from '../domain/ids.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, one, type Unchanged, unchanged, write } from '../store/command.ts';
import {
  insertDefinitionsIfAbsent,
  readDefinitions as readDefinitionsRow,
} from '../store/installations/definitions.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import { bundleText, type DefinitionsBundle } from './bundle.ts';
import { readDefinitions } from './read.ts';

export type Published = { readonly digest: Digest; readonly version: string; readonly lines: readonly string[] };

/** Keeps a valid bundle as an artifact, before the command that names it. Refuses with 422 `FACTORY-DEFINITIONS-INVALID`, a detail a fault. */
export async function keepBundle(artifacts: Artifacts, bundle: DefinitionsBundle): Promise<Digest> {
  readDefinitions(bundle);
  const { digest } = await artifacts.put(Buffer.from(bundleText(bundle.files)), {
    kind: 'definitions',
    mediaType: 'application/json',
  });
  return digest;
}

/**
 * Publishes a bundle that is kept as an artifact: from then on it can be planned on an application. It holds nowhere until it is installed.
 * The same bundle again is answered as it stands. Refuses 403 by policy; a bundle that is not valid is refused while it is loaded.
 */
export function* publishDefinitions(
  context: PlaneContext,
  actor: Actor,
  digest: Digest,
): Command<Committed<Published> | Unchanged<Committed<Published>>> {
  const { tenant } = context;
  const now = yield* databaseTime();
  const decision = permit(
    context,
    null,
    actor,
    now,
    'publishDefinitions',
    { id: digest, tenant },
    `the definitions ${digest}`,
  );
  const { version, lines, policy } = context.documents.definitions(digest);
  const answer: Published = { digest, version, lines: [...lines.keys()].sort() };
  if ((yield* one(readDefinitionsRow({ tenant, digest }))) !== undefined)
    return unchanged({ answer, outbox: [], touched: [] });
  const lineDigests = Object.fromEntries([...lines].map(([name, line]) => [name, line.digest]));
  yield* write(
    insertDefinitionsIfAbsent({
      tenant_id: tenant,
      digest,
      version,
      policy_digest: policy.digest,
      line_digests: JSON.stringify(lineDigests),
      installed_by: actor.principal as PrincipalId,
      created_at: now,
    }),
  );
  const commandId = `${digest}:publish`;
  const decisionId = yield* recordDecision(context, decision, {
    actor,
    action: 'publishDefinitions',
    resource: digest,
    now,
    commandId,
  });
  yield* write(
    insertArtifactReferenceIfAbsent({
      tenant_id: tenant,
      digest,
      kind: 'definitions',
      owner_type: 'definitions',
      owner_id: digest,
      name: 'bundle',
      created_at: now,
    }),
  );
  return yield* commit(
    openScope(context, now, actor),
    {
      stream: tenant,
      commandId,
      action: 'definitions.published',
      subjects: { decision: decisionId },
      digests: { definitions: digest, policy: policy.digest },
      values: { version },
    },
    answer,
  );
}
