import type { Artifacts, SealedArtifact } from '../../artifacts/artifacts.ts';
import type { ObjectStore } from '../../artifacts/objects/object-store.ts';
import { ArtifactTampered } from '../../artifacts/tampered.ts';
import { appendAudit } from '../../audit/append.ts';
import { type ApplicationDeclaration, applicationDeclaration } from '../../domain/application/declaration.ts';
import { newHoldoutSet, withoutScenarios } from '../../domain/application/holdouts.ts';
import { canonicalJson, type Digest } from '../../domain/digest.ts';
import { type ApplicationId, parseId, type TenantId } from '../../domain/ids.ts';
import { LIMITS } from '../../domain/limits.ts';
import { Refusal } from '../../domain/refusal.ts';
import { lockApplication, updateApplication } from '../../store/applications/applications.ts';
import { findArtifact } from '../../store/artifacts/artifacts.ts';
import { insertArtifactReferenceIfAbsent } from '../../store/artifacts/references.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../../store/command.ts';
import { insertRequestHoldouts } from '../../store/holdouts/of-request.ts';
import { insertHoldoutSet } from '../../store/holdouts/sets.ts';
import {
  closeArtifact,
  declarationsToLookAt,
  insertDeclarationReplacement,
  openRequestsPinnedTo,
  receiptsOfApplication,
  repinInputs,
  repinRequest,
} from '../../store/holdouts/take-out.ts';
import type { Store } from '../../store/store.ts';
import { sealHoldouts } from './keep.ts';

/**
 * Takes the scenarios out of the declarations that a former release kept with them. Runs when control starts, before it answers anybody, since it needs the
 * keys that declarations are sealed under.
 *
 * One declaration at a time: its scenarios are sealed as a set of their own, the declaration again without them; then one transaction points the application
 * and its open requests to the new one, pins the set to them, records old → new, gives up the key of the old bytes, and tells the audit stream. A death
 * before the commit leaves everything as it was, one after it leaves an object that the collector removes. Each declaration is looked at once.
 */
type Parts = {
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly objects: ObjectStore;
  readonly tenant: TenantId;
};
type Found = { readonly digest: Digest; readonly application: ApplicationId };

const PAGE = 100;
/** Sorts before every digest of real bytes, in either dialect. */
const BEFORE_ALL = `sha256:${'0'.repeat(64)}` as Digest;
const BYTES = LIMITS.http.jsonBodyBytes * 8;

/** Answers from how many declarations scenarios were taken. */
export async function takeOutScenarios(parts: Parts): Promise<number> {
  let taken = 0;
  const hidden = new Set<ApplicationId>();
  let behind = BEFORE_ALL;
  for (;;) {
    const page = await parts.store.read('declarations.toLookAt', () =>
      rows(declarationsToLookAt({ tenant: parts.tenant, behind, count: PAGE })),
    );
    for (const { digest, application: owner } of page) {
      behind = digest;
      const application = parseId('application', owner);
      if (application === undefined)
        throw new Error(`the declaration ${digest} is of ${owner}, which is no application`);
      if (await lookAt(parts, { digest, application }, hidden)) taken += 1;
    }
    if (page.length < PAGE) return taken;
  }
}

/** `hidden`: applications whose former receipts are hidden already. */
async function lookAt(parts: Parts, found: Found, hidden: Set<ApplicationId>): Promise<boolean> {
  const { store, artifacts, tenant } = parts;
  const bytes = await readable(artifacts, found.digest);
  // Damaged bytes are looked at again at the next start: they may be put right by then.
  if (bytes === undefined) return false;
  const declaration = applicationDeclaration.parse(JSON.parse(bytes.toString('utf8')));
  if (declaration.scenarios.length === 0) {
    const seen = { tenant_id: tenant, digest: found.digest, replaced_by: null, looked_at: Date.now() };
    await store.run('declarations.seen', () => write(insertDeclarationReplacement(seen)));
    return false;
  }
  if (!hidden.has(found.application)) await hideReceipts(parts, found.application);
  hidden.add(found.application);
  await takeOut(parts, found, declaration);
  return true;
}

async function takeOut(parts: Parts, found: Found, declaration: ApplicationDeclaration): Promise<void> {
  const { store, artifacts, objects, tenant } = parts;
  const { application } = found;
  const stripped = await artifacts.seal(Buffer.from(canonicalJson(withoutScenarios(declaration))), {
    kind: 'declaration',
    mediaType: 'application/json',
    owner: { type: 'application', id: application, name: 'declaration' },
  });
  const sealed = await sealHoldouts(artifacts, newHoldoutSet(declaration.scenarios));
  const holdouts: SealedArtifact = {
    ...sealed,
    input: { ...sealed.input, owner: { type: 'application', id: application, name: 'holdouts' } },
  };
  const object = await store.read('artifacts.find', () => one(findArtifact({ tenant, digest: found.digest })));
  const counts = await store.run('declarations.takeOut', () => replace(parts, found, { stripped, holdouts }));
  await artifacts.settle(stripped, counts.stripped);
  await artifacts.settle(holdouts, counts.holdouts);
  if (counts.holdouts && object !== undefined) await objects.delete(object.object_id);
}

/** Hides receipts of former releases that name scenarios, with digests, sizes and times of their runs, as a report of them is hidden. */
async function hideReceipts({ store, artifacts, tenant }: Parts, application: ApplicationId): Promise<void> {
  const made = await store.read('declarations.receiptsOfApplication', () =>
    rows(receiptsOfApplication({ tenant, application })),
  );
  for (const { digest } of made) {
    const bytes = await readable(artifacts, digest);
    const { claims } = JSON.parse(bytes?.toString('utf8') ?? '{}') as { claims?: { scenarios?: readonly unknown[] } };
    if ((claims?.scenarios ?? []).length === 0) continue;
    const reference = { owner_type: 'application', owner_id: application, name: 'receipt' } as const;
    const hidden = { tenant_id: tenant, digest, kind: 'holdout_report', created_at: Date.now(), ...reference };
    await store.run('artifacts.hide', () => write(insertArtifactReferenceIfAbsent(hidden)));
  }
}

/** The bytes, or undefined where nobody can read them: they were given up, or are not what was sealed. */
async function readable(artifacts: Artifacts, digest: Digest): Promise<Buffer | undefined> {
  try {
    return await artifacts.bytes(digest, BYTES);
  } catch (error) {
    if (error instanceof ArtifactTampered || (error instanceof Refusal && error.status === 410)) return undefined;
    throw error;
  }
}

type Sealed = {
  readonly stripped: SealedArtifact;
  readonly holdouts: SealedArtifact;
};
type Counts = { readonly stripped: boolean; readonly holdouts: boolean };

function* replace(parts: Parts, { digest, application }: Found, sealed: Sealed): Command<Counts | Unchanged<Counts>> {
  const { tenant, artifacts } = parts;
  const { stripped, holdouts } = sealed;
  const [replacement, set] = [stripped.row.digest, holdouts.row.digest];
  const locked = yield* one(lockApplication({ tenant, application }));
  if (locked === undefined) throw new Error(`the application ${application} of the declaration ${digest} is not there`);
  const { now, ...row } = locked;
  const current = row.declaration_digest === digest;
  if (current) yield* writeOne(updateApplication({ ...row, declaration_digest: replacement, updated_at: now }));
  const open = yield* rows(openRequestsPinnedTo({ tenant, digest }));
  for (const request of open) {
    yield* write(repinRequest({ tenant, request: request.id, digest, replacement }));
    yield* write(insertRequestHoldouts({ tenant_id: tenant, request_id: request.id, digest: set }));
  }
  for (const request of open)
    yield* write(repinInputs({ tenant, request: request.id, digest, replacement, size: stripped.row.size }));
  const seen = { tenant_id: tenant, digest, replaced_by: replacement, looked_at: now };
  // Another process of this plane was first: all of this is undone.
  if ((yield* write(insertDeclarationReplacement(seen))) === 0) return unchanged({ stripped: false, holdouts: false });
  yield* write(
    insertHoldoutSet({
      tenant_id: tenant,
      digest: set,
      application_id: application,
      submitted_by: null,
      submitted_at: now,
      ended_at: current ? null : now,
    }),
  );
  const counts = { stripped: yield* artifacts.record(stripped), holdouts: yield* artifacts.record(holdouts) };
  yield* write(closeArtifact({ tenant, digest, closed_at: now }));
  yield* appendAudit({
    tenantId: tenant,
    stream: application,
    commandId: `${digest}:holdouts`,
    at: now,
    actor: 'plane',
    action: 'declaration.holdouts_taken_out',
    subjects: { application },
    digests: { before: digest, declaration: replacement, holdouts: set },
    changes: { requests: open.length },
    steps: open.map(({ id }) => `repin ${id}`),
  });
  return counts;
}
