import { isHiddenKind } from '../domain/application/holdouts.ts';
import type { Digest } from '../domain/digest.ts';
import type { PrincipalId } from '../domain/ids.ts';
import type { Outcome } from '../domain/job/outcome.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PlaneContext } from '../line/context.ts';
import { insertArtifactReferences } from '../store/artifacts/references.ts';
import { uploadsOfJob } from '../store/artifacts/uploads.ts';
import { type Command, rows, write } from '../store/command.ts';
import { insertPlan, insertVerification } from '../store/evidence/records.ts';
import { insertJobOutputs } from '../store/jobs/insert.ts';
import type { NodeRow } from '../store/schema/rows.ts';
import type { CarriedOutputs } from './carried-outputs.ts';
import type { HeldLease } from './held-lease.ts';
import { runsHoldouts } from './hidden-inputs.ts';

export type NamedOutput = { readonly name: string; readonly digest: string; readonly kind: string };

/**
 * Records what a job put out. Refuses with 422 `FACTORY-OUTPUT-UNKNOWN`, a detail each, what was neither uploaded under this very
 * job and epoch nor carried by its report: a digest that exists elsewhere is no output; with 422
 * `FACTORY-OUTPUT-REPEATED` a name that is used twice. A plan and a verifier's receipt get rows of their own, which approvals bind.
 */
export function* recordOutputs(
  context: PlaneContext,
  held: HeldLease,
  node: NodeRow,
  principal: PrincipalId,
  outputs: readonly NamedOutput[],
  outcome: Outcome | undefined,
  carried: CarriedOutputs['uploads'] = [],
): Command<void> {
  if (outputs.length === 0) return;
  const { job, request, now } = held;
  refuseRepeated(outputs, job.id);
  const tenant = job.tenant_id;
  const uploads = yield* rows(uploadsOfJob({ tenant, job: job.id, epoch: job.lease_epoch }));
  const known = new Map(
    [...uploads, ...carried]
      .filter((upload) => upload.state === 'complete')
      .map((upload) => [`${upload.kind} ${upload.digest}`, upload]),
  );
  const details = outputs.flatMap((output, index) =>
    known.has(`${output.kind} ${output.digest}`)
      ? []
      : [
          {
            pointer: `/outputs/${index}`,
            code: 'not_uploaded',
            message: `${output.digest} was not uploaded as ${output.kind} under this job and epoch. Upload it first.`,
          },
        ],
  );
  const hidden = outputs.findIndex(({ kind }) => isHiddenKind(kind));
  if (hidden >= 0 && !runsHoldouts(job))
    details.push({
      pointer: `/outputs/${hidden}/kind`,
      code: 'not_yours',
      message: `Only the job that runs hidden scenarios puts out ${outputs[hidden]?.kind ?? ''}.`,
    });
  if (details.length > 0)
    throw new Refusal(
      422,
      'FACTORY-OUTPUT-UNKNOWN',
      `Job ${job.id} names outputs that it did not upload under this lease, or may not put out. Nothing was changed.`,
      { details },
    );
  yield* write(
    insertJobOutputs(
      outputs.map((output) => {
        const upload = known.get(`${output.kind} ${output.digest}`);
        return {
          tenant_id: tenant,
          job_id: job.id,
          epoch: job.lease_epoch,
          name: output.name,
          digest: output.digest as Digest,
          kind: output.kind,
          media_type: upload?.media_type ?? '',
          size: upload?.size ?? 0,
        };
      }),
    ),
  );
  // In the same transaction: people may read an artifact by what refers to it.
  yield* write(
    insertArtifactReferences(
      outputs.map((output, index) => ({
        tenant_id: tenant,
        digest: output.digest as Digest,
        kind: output.kind,
        owner_type: 'job' as const,
        owner_id: job.id,
        name: `${job.lease_epoch}.${index}.${output.name}`.slice(0, 64),
        created_at: now,
      })),
    ),
  );
  if (outcome === undefined) return;
  const plan = outputs.find((output) => output.kind === 'plan');
  if (plan !== undefined)
    yield* write(
      insertPlan({
        tenant_id: tenant,
        request_id: request.id,
        digest: plan.digest as Digest,
        job_id: job.id,
        created_at: now,
      }),
    );
  const receipt = outputs.find((output) => output.kind === 'receipt');
  if (receipt === undefined || job.pool !== 'verify') return;
  if (outcome.facts.claims === undefined) {
    throw new Refusal(
      422,
      'FACTORY-RECEIPT-UNCLAIMED',
      `Job ${job.id} puts out a receipt without saying in its facts which claims it makes (\`claims\`), and approvals bind those. Nothing was changed.`,
    );
  }
  yield* write(
    insertVerification({
      id: context.newId('verification', now),
      tenant_id: tenant,
      request_id: request.id,
      node_id: node.id,
      job_id: job.id,
      epoch: job.lease_epoch,
      principal_id: principal,
      tree: (outcome.facts.headTree ?? null) as Digest | null,
      claims_digest: outcome.facts.claims as Digest,
      result: outcome.verdict,
      artifact_digest: receipt.digest as Digest,
      created_at: now,
    }),
  );
}

function refuseRepeated(outputs: readonly NamedOutput[], job: string): void {
  const details = outputs.flatMap(({ name }, index) =>
    outputs.findIndex((output) => output.name === name) === index
      ? []
      : [
          {
            pointer: `/outputs/${index}/name`,
            code: 'duplicate_output',
            message: `The output "${name}" is named twice. Keep one.`,
          },
        ],
  );
  if (details.length > 0)
    throw new Refusal(422, 'FACTORY-OUTPUT-REPEATED', `Job ${job} names an output twice. Nothing was changed.`, {
      details,
    });
}
