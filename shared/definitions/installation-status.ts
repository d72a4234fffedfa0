import type { Digest } from '../domain/digest.ts';
import type { ApplicationId, InstallationId } from '../domain/ids.ts';
import type { InstallationState } from '../domain/installation/machine.ts';
import { notFound } from '../domain/refusal.ts';
import type { PlaneContext } from '../line/context.ts';
import { readApplication } from '../store/applications/applications.ts';
import { type Command, one, rows } from '../store/command.ts';
import { currentInstallations } from '../store/installations/installations.ts';
import { type Drift, driftOf } from './drift.ts';

export type InstallationStatus = {
  readonly application: ApplicationId;
  /** Definitions, policy and lines in force; null where nothing was installed and the plane's baseline holds. */
  readonly inForce: {
    readonly definitions: Digest;
    readonly policy: Digest | null;
    readonly lines: Readonly<Record<string, Digest>>;
  } | null;
  /** The installation that was applied last, and whether what is in force is still what it recorded. */
  readonly applied: {
    readonly installation: InstallationId;
    readonly definitions: Digest;
    readonly at: number | null;
    readonly drift: Drift;
  } | null;
  /** On its way: planned, approved or being applied. */
  readonly pending: {
    readonly installation: InstallationId;
    readonly state: InstallationState;
    readonly definitions: Digest;
    readonly plan: Digest;
  } | null;
  /** Whether the bundle that was asked about (a directory's, say) is the one in force. Null when none was named. */
  readonly asked: Drift | null;
};

/** What is installed on an application. `asked`: the digest of a bundle to compare with what is in force. */
export function* readInstallationStatus(
  context: PlaneContext,
  id: ApplicationId,
  asked?: Digest,
): Command<InstallationStatus> {
  const application = yield* one(readApplication({ tenant: context.tenant, application: id }));
  if (application === undefined) throw notFound(`Application ${id}`);
  const current = yield* rows(currentInstallations({ tenant: context.tenant, application: id }));
  const applied = current.find((row) => row.state === 'applied' || row.state === 'drifted');
  const pending = current.find(
    (row) => row.state === 'planned' || row.state === 'approved' || row.state === 'applying',
  );
  const { definitions_digest: definitions, policy_digest: policy } = application;
  return {
    application: id,
    inForce:
      definitions === null
        ? null
        : { definitions, policy, lines: JSON.parse(application.installed_line_digests) as Record<string, Digest> },
    applied:
      applied === undefined
        ? null
        : {
            installation: applied.id,
            definitions: applied.definitions_digest,
            at: applied.finished_at,
            drift: driftOf(definitions, applied.definitions_digest),
          },
    pending:
      pending === undefined
        ? null
        : {
            installation: pending.id,
            state: pending.state,
            definitions: pending.definitions_digest,
            plan: pending.plan_digest,
          },
    asked: asked === undefined ? null : driftOf(definitions, asked),
  };
}
