import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import { commitTree } from '../../sandbox/git/commit.ts';
import type { Arm } from '../azure-deployments/arm.ts';
import type { CodeHost } from '../code-hosts/code-host.ts';
import { openCodeHost, type Repository } from '../code-hosts/repository.ts';
import { changeBranch, effectTarget } from '../ledger/target.ts';
import { deliveredText, requestTime } from './delivered-text.ts';
import { deploymentDelivery } from './deployment-delivery.ts';
import type { EffectEnd, EffectMode, EffectStep } from './effect-step.ts';
import { patchStep } from './patch-step.ts';
import { pullRequestBody } from './pull-request-body.ts';
import { pullRequestStep } from './pull-request-step.ts';
import { pushStep } from './push-step.ts';
import type { TestedChange } from './tested-change.ts';

/** The ordered effects that deliver a packet's output. */
export type Delivery = {
  readonly steps: readonly EffectStep[];
  readonly commit: string | null;
  readonly host: CodeHost | null;
  /** Digest of the plan that a deployment applies. */
  readonly plan?: string;
};

/**
 * Of a deployment whose plan is not true any more, why.
 *
 * @throws CodeHostUnreachable, ArmFailed
 */
export async function planDelivery(
  arm: Arm,
  context: TaskContext,
  repository: Repository,
  change: TestedChange,
  mode: EffectMode,
): Promise<Delivery | { readonly stale: string }> {
  switch (repository.packet.output.format) {
    case 'pull_request':
      return await pullRequestDelivery(context, repository, change, mode);
    case 'deployment': {
      const deployment = await deploymentDelivery(arm, context, change, mode);
      if ('stale' in deployment) return deployment;
      return { steps: [deployment.step], commit: null, host: null, plan: deployment.plan };
    }
    case 'patch':
    case 'note':
      return await patchDelivery(context, repository, change);
  }
}

async function pullRequestDelivery(
  context: TaskContext,
  repository: Repository,
  change: TestedChange,
  mode: EffectMode,
): Promise<Delivery> {
  const { request } = context.claim;
  const host = await openCodeHost(repository);
  const branch = changeBranch(request);
  const target = effectTarget(repository.packet, repository.declaration, request);
  // A look-only job has no change evidence, and needs none: it writes no commit and opens nothing.
  const evidence = mode === 'act' ? digestOfInput(context, 'evidence') : '';
  const text = deliveredText(repository.packet, { request, tree: change.digest, evidence });
  const commit =
    mode === 'look'
      ? null
      : await commitTree({
          repository: change.repository,
          tree: change.tree,
          parent: change.baseCommit,
          message: text.commitMessage,
          at: requestTime(request),
          signal: context.signal,
        });
  const push = pushStep({ host, change, branch, commit, directory: context.directory, intend: { ordinal: 0, target } });
  const open = pullRequestStep({
    host,
    branch,
    base: repository.branch,
    title: text.title,
    body: mode === 'act' ? await pullRequestBody(context, change.digest, evidence) : '',
    intend: { ordinal: 1, target, tree: change.digest },
  });
  return { steps: [push, open], commit, host };
}

async function patchDelivery(context: TaskContext, repository: Repository, change: TestedChange): Promise<Delivery> {
  const diff = await context.input('diff');
  const diffDigest = digestOfInput(context, 'diff');
  return {
    steps: [
      patchStep({
        change,
        diff,
        diffDigest,
        intend: { ordinal: 0, target: effectTarget(repository.packet, repository.declaration, context.claim.request) },
      }),
    ],
    commit: null,
    host: null,
  };
}

/** What was delivered and where, for the evidence bundle and for people. */
export async function writeDelivery(
  context: TaskContext,
  { packet, name }: Repository,
  change: TestedChange,
  delivery: Delivery,
  ends: readonly EffectEnd[],
): Promise<void> {
  const branch = changeBranch(context.claim.request);
  const pullRequest = (await delivery.host?.findPullRequest(branch)) ?? null;
  const bytes = JSON.stringify({
    schemaVersion: 1,
    request: context.claim.request,
    format: packet.output.format,
    repository: name,
    baseCommit: change.baseCommit,
    tree: change.digest,
    ...(delivery.commit === null ? { diff: digestOfInput(context, 'diff') } : { branch, commit: delivery.commit }),
    ...(delivery.plan === undefined ? {} : { plan: delivery.plan }),
    ...(pullRequest === null ? {} : { pullRequest: { number: pullRequest.number, url: pullRequest.url } }),
    effects: delivery.steps.map((step, index) => ({
      kind: step.intend.kind,
      target: step.intend.target,
      effect: ends[index]?.effect ?? null,
      seen: ends[index]?.observed ?? '',
    })),
  });
  await context.output({ name: 'delivery', kind: 'log', mediaType: 'application/json', bytes });
}

function digestOfInput(context: TaskContext, name: string): string {
  const input = context.claim.inputs.find((each) => each.name === name);
  if (input === undefined)
    throw new TaskFailure({
      kind: 'terminal',
      code: 'INPUT-MISSING',
      message: `The task deliver needs an input named ${name}, which its job does not have. The blueprint must pass it.`,
    });
  return input.digest;
}
