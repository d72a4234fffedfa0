import { digestOfValue } from '../domain/digest.ts';
import type { EvidenceFacts, PrReadyFacts } from './facts/bundle-facts.ts';
import type { ChangeEvidenceFacts } from './facts/change-evidence-facts.ts';

/** A place where the digest chain does not hold: a JSON pointer (RFC 6901) into the predicate, and what is wrong there. */
export type ChainFault = { readonly pointer: string; readonly message: string };

type Change = Omit<ChangeEvidenceFacts, 'createdAt'>;
type Job = Change['jobs'][number];

/** Collects faults; each `expect` states what must hold. */
function faultsOf(check: (expect: (holds: boolean, pointer: string, message: string) => void) => void): ChainFault[] {
  const faults: ChainFault[] = [];
  check((holds, pointer, message) => {
    if (!holds) faults.push({ pointer, message });
  });
  return faults;
}

const produced = (job: Job | undefined, digest: string): boolean =>
  job?.outputs.some((output) => output.digest === digest) ?? false;
const received = (job: Job | undefined, digest: string): boolean =>
  job?.inputs.some((input) => input.digest === digest) ?? false;

/**
 * Packet → plan → job → validated tree: the plan was made by a recorded job, the change by another that was given that plan, and
 * the receipt by a verifier that is not the builder, for exactly the tree of the change.
 */
function changeFaults(facts: Change): ChainFault[] {
  const job = (id: string): Job | undefined => facts.jobs.find((candidate) => candidate.id === id);
  const planner = job(facts.plan.job);
  const builder = job(facts.change.job);
  const verifier = job(facts.validation.job);
  return faultsOf((expect) => {
    expect(produced(planner, facts.plan.digest), '/plan', 'no recorded job gave out this plan');
    expect(produced(builder, facts.change.bundle), '/change/bundle', 'no recorded job gave out this change');
    expect(received(builder, facts.plan.digest), '/change/job', 'the job that made the change was not given this plan');
    expect(
      produced(verifier, facts.validation.receipt),
      '/validation/receipt',
      'no recorded job gave out this receipt',
    );
    expect(received(verifier, facts.change.bundle), '/validation/job', 'the verifier was not given this change');
    expect(
      produced(builder, facts.change.diff) || produced(verifier, facts.change.diff),
      '/change/diff',
      'no recorded job gave out this diff',
    );
    expect(verifier?.pool === 'verify', '/validation/job', 'the receipt is not from a job of pool verify');
    expect(
      verifier?.principal !== builder?.principal,
      '/validation/job',
      'the change was validated by the identity that made it',
    );
    expect(
      facts.validation.tree === facts.change.tree,
      '/validation/tree',
      'the validated tree is not the tree of the change',
    );
    expect(
      facts.change.tree !== facts.base.tree,
      '/change/tree',
      'the tree of the change is the base tree: nothing was changed',
    );
    for (const [index, check] of facts.validation.checks.entries()) {
      expect(
        check.after !== 'failed',
        `/validation/checks/${index}/after`,
        `the check ${check.name} failed on a tree that is called valid`,
      );
    }
    for (const [index, scenario] of facts.validation.scenarios.entries()) {
      expect(
        scenario.result === 'passed',
        `/validation/scenarios/${index}`,
        `the scenario ${scenario.name} failed on a tree that is called valid`,
      );
    }
    expect(
      facts.validation.holdouts === undefined || ['passed', 'none'].includes(facts.validation.holdouts),
      '/validation/holdouts',
      `the hidden scenarios are ${facts.validation.holdouts} on a tree that is called valid`,
    );
    if (facts.reproduction.kind === 'failed_before') {
      expect(
        produced(job(facts.reproduction.job), facts.reproduction.receipt),
        '/reproduction/receipt',
        'no recorded job gave out the receipt of the reproduction',
      );
      expect(
        facts.validation.reproductionAfter === 'passes',
        '/validation/reproductionAfter',
        'the reproduction was not run again on the change',
      );
    }
  });
}

/** Actions of which one let the request be submitted. */
const SUBMITTING: readonly string[] = ['submitRequest', 'retryRequest', 'answerRequest'];

/** Approvals: each is for this request, packet and plan, as the digest says that was decided on, by people other than the requester and whoever submitted it for them. */
function approvalFaults(
  facts: Pick<Change, 'request' | 'task' | 'approvals' | 'jobs' | 'policyDecisions'> & {
    readonly plan?: Change['plan'] | undefined;
  },
): ChainFault[] {
  const workers = new Set(
    facts.jobs.flatMap((job) => [job.principal, ...(job.attempts ?? []).map(({ principal }) => principal)]),
  );
  const submission = facts.policyDecisions.find((decision) => SUBMITTING.includes(decision.action));
  return faultsOf((expect) => {
    expect(submission?.allowed === true, '/policyDecisions', 'no policy decision let the request be submitted');
    for (const [index, approval] of facts.approvals.entries()) {
      const at = `/approvals/${index}`;
      expect(
        digestOfValue(approval.subject) === approval.subjectDigest,
        `${at}/subjectDigest`,
        'the subject is not the one that was decided on',
      );
      expect(
        approval.subject.request === facts.request.id,
        `${at}/subject/request`,
        'the approval is for another request',
      );
      expect(
        approval.subject.packet === facts.task.packet,
        `${at}/subject/packet`,
        'the approval is for another packet',
      );
      // Superseded, expired and rejected approvals may be for an earlier plan; only one that stands must be for this one.
      if (approval.state !== 'approved') continue;
      if (facts.plan !== undefined)
        expect(approval.subject.plan === facts.plan.digest, `${at}/subject/plan`, 'the approval is for another plan');
      const approvers = new Set(
        approval.decisions.filter((decision) => decision.decision === 'approve').map((decision) => decision.by),
      );
      expect(
        approvers.size >= approval.required,
        `${at}/decisions`,
        `${approval.required} people had to approve, ${approvers.size} did`,
      );
      expect(
        !approval.decisions.some((decision) => decision.decision === 'reject'),
        `${at}/decisions`,
        'it was rejected by someone',
      );
      expect(!approvers.has(facts.request.requestedBy), `${at}/decisions`, 'the requester approved the own request');
      expect(
        submission === undefined || !approvers.has(submission.principal),
        `${at}/decisions`,
        'who submitted it approved it',
      );
      expect(![...approvers].some((by) => workers.has(by)), `${at}/decisions`, 'a worker approved');
    }
  });
}

/** Approval → effect: every effect sent the validated tree, under an approval for exactly this or a decision that none is needed. */
function effectFaults(facts: PrReadyFacts): ChainFault[] {
  return faultsOf((expect) => {
    for (const [index, effect] of facts.effects.entries()) {
      const at = `/effects/${index}`;
      const job = facts.jobs.find((candidate) => candidate.id === effect.job);
      expect(
        job?.pool === 'effect' && job.epoch === effect.epoch,
        `${at}/job`,
        'no recorded effect job of this epoch performed it',
      );
      expect(effect.tree === facts.change.tree, `${at}/tree`, 'it sent another tree than the validated one');
      const decision = facts.policyDecisions.find((candidate) => candidate.id === effect.policyDecision);
      expect(decision?.allowed === true, `${at}/policyDecision`, 'no policy decision allowed it');
      if (effect.approval === null) {
        expect(facts.risk.tier === 'low', `${at}/approval`, `an effect of a ${facts.risk.tier} change has no approval`);
        continue;
      }
      const approval = facts.approvals.find((candidate) => candidate.id === effect.approval);
      const subject = approval?.subject;
      expect(
        approval?.state === 'approved' && subject?.type === 'effect',
        `${at}/approval`,
        'its approval is not a standing approval of effects',
      );
      if (subject?.type !== 'effect') continue;
      expect(
        subject.tree === facts.change.tree && subject.baseTree === facts.base.tree,
        `${at}/approval`,
        'its approval is for another tree',
      );
      expect(subject.receipt === facts.validation.claims, `${at}/approval`, 'its approval is for another verification');
      expect(
        subject.changeEvidence === facts.changeEvidence,
        `${at}/approval`,
        'its approval is for other change evidence',
      );
      expect(
        subject.effects[effect.ordinal] === effect.kind,
        `${at}/kind`,
        'its kind is not the approved one at this place',
      );
      const start = subject.startApproval;
      const standing = facts.approvals.some(
        (candidate) => candidate.id === start && candidate.subject.type === 'start' && candidate.state === 'approved',
      );
      expect(start === null || standing, `${at}/approval`, 'the start approval it builds on does not stand');
    }
  });
}

/** Where the chain packet → plan → approval → job does not hold; empty when it holds. */
export function changeEvidenceFaults(facts: ChangeEvidenceFacts): ChainFault[] {
  return [...changeFaults(facts), ...approvalFaults(facts)];
}

/** Where the chain up to the effects does not hold; empty when it holds. For other ends than PR_READY only what is there can be checked. */
export function bundleFaults(facts: EvidenceFacts): ChainFault[] {
  if (facts.state === 'PR_READY') return [...changeFaults(facts), ...approvalFaults(facts), ...effectFaults(facts)];
  return [...approvalFaults(facts), ...endFaults(facts)];
}

function endFaults(facts: Exclude<EvidenceFacts, PrReadyFacts>): ChainFault[] {
  return faultsOf((expect) => {
    if (facts.state === 'NO_OP') {
      expect(
        facts.jobs.some(
          (job) => job.state === 'completed' && (produced(job, facts.proof) || job.result === facts.proof),
        ),
        '/proof',
        'no completed job gave out this proof or reported it as its result',
      );
      expect(facts.effects.length === 0, '/effects', 'a request that did nothing has effects');
    }
    if (facts.state === 'REJECTED') {
      expect(
        facts.approvals.some((approval) => approval.id === facts.approval && approval.state === 'rejected'),
        '/approval',
        'no rejected approval of this id is recorded',
      );
    }
  });
}
