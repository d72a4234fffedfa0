import { digestOfBytes, digestOfValue } from '../../shared/domain/digest.ts';
import type { EvidenceFacts, PrReadyFacts } from '../../shared/evidence/facts/bundle-facts.ts';
import type { ChangeEvidenceFacts } from '../../shared/evidence/facts/change-evidence-facts.ts';

/** Bytes of the artifacts the facts refer to, by name. */
export const CONTENT = Object.fromEntries(
  ['packet', 'plan', 'bundle', 'diff', 'receipt', 'baseline'].map((name) => [
    name,
    Buffer.from(`content of the ${name}`),
  ]),
);
const of = (name: string): string => digestOfBytes(CONTENT[name] ?? name);

const job = (
  id: string,
  node: string,
  pool: 'plan' | 'build' | 'verify' | 'effect',
  principal: string,
  inputs: string[],
  outputs: [string, string][],
) => ({
  id,
  node,
  round: 1,
  pool,
  state: 'completed' as const,
  epoch: 1,
  attempt: 1,
  principal,
  verdict: 'ok',
  result: digestOfValue({ completed: id }),
  inputs: inputs.map((name) => ({ name, digest: of(name) })),
  outputs: outputs.map(([name, kind]) => ({ name, kind, digest: of(name) })),
});

const startSubject = {
  type: 'start' as const,
  request: 'req_1',
  packet: of('packet'),
  plan: of('plan'),
  policy: of('policy'),
  risk: 'high' as const,
};

export function changeEvidence(): ChangeEvidenceFacts {
  return {
    request: {
      id: 'req_1',
      application: 'app_1',
      requestedBy: 'pri_requester',
      line: 'patch',
      lineDigest: of('line'),
      definitions: of('definitions'),
      incarnation: 'inc_1',
      run: 1,
      acceptedAt: '2026-01-01T10:00:00.000Z',
    },
    task: {
      packet: of('packet'),
      goal: 'Sums are right.',
      intent: 'add(1, 2) gives 3.',
      source: { kind: 'ticket', reference: 'SHOP-1', url: null },
      nonGoals: ['no new API'],
      outputFormat: 'pull_request',
    },
    plan: { digest: of('plan'), job: 'job_plan', summary: 'Correct add.' },
    base: { repository: 'shop', ref: 'main', commit: 'a'.repeat(40), tree: of('base tree') },
    change: {
      job: 'job_build',
      bundle: of('bundle'),
      diff: of('diff'),
      tree: of('head tree'),
      gitTree: 'b'.repeat(40),
      paths: ['src/add.js'],
      pathCount: 1,
      linesAdded: 1,
      linesRemoved: 1,
      binaryFiles: 0,
      testPaths: [],
    },
    station: { name: 'patch', kind: 'deterministic', version: '1.0.0', model: null },
    toolchain: [{ name: 'node', version: '24.21.0', digest: of('node') }],
    sandbox: { kind: 'bubblewrap', isolation: 'isolated', version: '0.8.0' },
    reproduction: {
      kind: 'failed_before',
      receipt: of('baseline'),
      job: 'job_baseline',
      command: ['node', '--test'],
      summary: '1 of 3 tests fails.',
    },
    validation: {
      receipt: of('receipt'),
      claims: of('claims'),
      job: 'job_verify',
      tree: of('head tree'),
      result: 'valid',
      reproductionAfter: 'passes',
      checks: [{ name: 'unit', kind: 'unit', before: 'failed', after: 'passed', testsBefore: 3, testsAfter: 3 }],
      scenarios: [{ name: 'serves', result: 'passed' }],
      testsTouched: [],
    },
    risk: {
      tier: 'high',
      reasons: [{ signal: 'paths', tier: 'high', because: 'src/add.js is protected' }],
      residual: ['Callers outside the repository are not known.'],
    },
    rollback: 'Revert the commit.',
    jobs: [
      job('job_baseline', 'baseline', 'verify', 'pri_verifier', ['packet'], [['baseline', 'receipt']]),
      job('job_plan', 'plan', 'plan', 'pri_station', ['packet'], [['plan', 'plan']]),
      job(
        'job_build',
        'implement',
        'build',
        'pri_station',
        ['plan'],
        [
          ['bundle', 'change_bundle'],
          ['diff', 'diff'],
        ],
      ),
      job('job_verify', 'validate', 'verify', 'pri_verifier', ['plan', 'bundle'], [['receipt', 'receipt']]),
    ],
    jobsLeftOut: 0,
    approvals: [
      {
        id: 'apr_start',
        subject: startSubject,
        subjectDigest: digestOfValue(startSubject),
        state: 'approved',
        required: 1,
        decisions: [{ by: 'pri_lead', decision: 'approve', reason: '', at: '2026-01-01T10:05:00.000Z' }],
      },
    ],
    policyDecisions: [
      {
        id: 'pol_submit',
        action: 'submitRequest',
        principal: 'pri_requester',
        allowed: true,
        policy: of('policy'),
        determining: ['requesters-work'],
        at: '2026-01-01T10:01:00.000Z',
      },
    ],
    createdAt: '2026-01-01T10:20:00.000Z',
  };
}

export function prReady(changeEvidenceDigest: string): PrReadyFacts {
  const { createdAt: _created, ...facts } = changeEvidence();
  const subject = {
    type: 'effect' as const,
    request: 'req_1',
    packet: of('packet'),
    startApproval: 'apr_start',
    plan: of('plan'),
    tree: of('head tree'),
    baseTree: of('base tree'),
    receipt: of('claims'),
    changeEvidence: changeEvidenceDigest,
    target: 'shop:factory/req_1',
    effects: ['git_push', 'pull_request'],
    policy: of('policy'),
    risk: 'high' as const,
  };
  const effect = (ordinal: number, kind: 'git_push' | 'pull_request') => ({
    id: `eff_${ordinal}`,
    key: `req_1/${kind}`,
    kind,
    ordinal,
    job: 'job_effect',
    epoch: 1,
    target: 'shop:factory/req_1',
    tree: of('head tree'),
    state: 'verified' as const,
    expectedBefore: '',
    observed: 'ref at the pushed commit',
    approval: 'apr_effect',
    policyDecision: 'pol_effect',
    rollback: 'Delete the branch.',
  });
  const by = (principal: string) => ({
    by: principal,
    decision: 'approve' as const,
    reason: 'read',
    at: '2026-01-01T10:30:00.000Z',
  });
  return {
    ...facts,
    state: 'PR_READY',
    changeEvidence: changeEvidenceDigest,
    jobs: [...facts.jobs, job('job_effect', 'deliver', 'effect', 'pri_effector', ['bundle'], [])],
    approvals: [
      ...facts.approvals,
      {
        id: 'apr_effect',
        subject,
        subjectDigest: digestOfValue(subject),
        state: 'approved',
        required: 2,
        decisions: [by('pri_lead'), by('pri_security')],
      },
    ],
    policyDecisions: [
      ...facts.policyDecisions,
      {
        id: 'pol_effect',
        action: 'performEffect',
        principal: 'pri_effector',
        allowed: true,
        policy: of('policy'),
        determining: ['approved'],
        at: '2026-01-01T10:31:00.000Z',
      },
    ],
    effects: [effect(0, 'git_push'), effect(1, 'pull_request')],
    endedAt: '2026-01-01T10:32:00.000Z',
  };
}

type State = EvidenceFacts['state'];

/** A sound bundle of each other end. */
export function ended(state: Exclude<State, 'PR_READY'>): EvidenceFacts {
  const { request, task, jobs, jobsLeftOut, approvals, policyDecisions } = changeEvidence();
  const common = {
    request,
    task,
    jobs,
    jobsLeftOut,
    approvals,
    policyDecisions,
    effects: [],
    endedAt: '2026-01-01T10:32:00.000Z',
  };
  switch (state) {
    case 'NO_OP':
      return {
        ...common,
        state,
        code: 'already_true',
        proof: of('baseline'),
        node: 'assess',
        explanation: 'The reproduction passes on the base.',
      };
    case 'ESCALATE':
      return {
        ...common,
        state,
        code: 'tests_touched',
        node: 'judge',
        question: 'May the tests change?',
        owner: 'pri_requester',
        deadline: '2026-01-04T10:00:00.000Z',
        tried: ['implemented once'],
        changeEvidence: null,
      };
    case 'RETRYABLE_FAILURE':
      return {
        ...common,
        state,
        node: 'fetch',
        class: 'transient_infra',
        code: 'GIT-UNREACHABLE',
        signature: 'fetch/transient_infra/x',
        attempts: 3,
        message: 'The host did not answer.',
      };
    case 'CANCELLED':
      return { ...common, state, by: 'pri_requester', reason: 'no longer needed', changeEvidence: null };
    case 'REJECTED':
      return {
        ...common,
        state,
        by: 'pri_lead',
        reason: 'wrong approach',
        approval: 'apr_start',
        changeEvidence: null,
        approvals: approvals.map((approval) => ({
          ...approval,
          state: 'rejected',
          decisions: [{ by: 'pri_lead', decision: 'reject', reason: 'wrong approach', at: '2026-01-01T10:05:00.000Z' }],
        })),
      };
  }
}
