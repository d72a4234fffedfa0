import type { z } from 'zod';
import { Refusal } from '../domain/refusal.ts';
import { bundleFaults, type ChainFault, changeEvidenceFaults } from './chain.ts';
import { bundleFacts, type EvidenceFacts } from './facts/bundle-facts.ts';
import { type ChangeEvidenceFacts, changeEvidenceFacts } from './facts/change-evidence-facts.ts';
import { PREDICATE_TYPE, type Statement, sha256Subject, statementOf } from './statement.ts';

function complete<T>(what: string, parsed: z.ZodSafeParseResult<T>): T {
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.slice(0, 50).map((issue) => ({
    pointer: `/${issue.path.map(String).join('/')}`,
    code: issue.code ?? 'invalid',
    message: issue.message,
  }));
  throw new Refusal(
    422,
    'FACTORY-EVIDENCE-INCOMPLETE',
    `The ${what} was not built: ${details.length} required facts are missing or malformed, the first at ${details[0]?.pointer ?? '/'}. Record them; nothing is signed without them.`,
    { details },
  );
}

function sound(what: string, faults: readonly ChainFault[]): void {
  if (faults.length === 0) return;
  const details = faults.slice(0, 50).map((fault) => ({ ...fault, code: 'chain_broken' }));
  throw new Refusal(
    409,
    'FACTORY-EVIDENCE-CHAIN-BROKEN',
    `The ${what} was not built: its facts contradict each other, first at ${details[0]?.pointer ?? '/'}: ${details[0]?.message ?? ''}.`,
    { details },
  );
}

/** Subjects of a statement about a change: the tested tree (our digest and git's), the diff, the packet it answers. */
function changeSubjects(facts: Pick<ChangeEvidenceFacts, 'task' | 'change'>): Statement<unknown>['subject'] {
  return [
    { name: 'tree', digest: { sha256: facts.change.tree.slice('sha256:'.length), gitTree: facts.change.gitTree } },
    sha256Subject('diff', facts.change.diff),
    sha256Subject('packet', facts.task.packet),
  ];
}

/**
 * The statement about a change before it is effected. Refuses (422 `FACTORY-EVIDENCE-INCOMPLETE`, 409 `FACTORY-EVIDENCE-CHAIN-BROKEN`) with a
 * pointer to each fact that is missing or contradicts another.
 */
export function buildChangeEvidence(facts: ChangeEvidenceFacts): Statement<ChangeEvidenceFacts> {
  const known = complete('change evidence', changeEvidenceFacts.safeParse(facts));
  sound('change evidence', changeEvidenceFaults(known));
  return statementOf(PREDICATE_TYPE.changeEvidence, changeSubjects(known), known);
}

/** The statement about how a request ended. Same refusals; what must be there depends on the terminal state. */
export function buildEvidenceBundle(facts: EvidenceFacts): Statement<EvidenceFacts> {
  const known = complete('evidence bundle', bundleFacts.safeParse(facts));
  sound('evidence bundle', bundleFaults(known));
  return statementOf(PREDICATE_TYPE.evidenceBundle, bundleSubjects(known), known);
}

function bundleSubjects(facts: EvidenceFacts): Statement<unknown>['subject'] {
  if (facts.state === 'PR_READY')
    return [...changeSubjects(facts), sha256Subject('change-evidence', facts.changeEvidence)];
  const packet = sha256Subject('packet', facts.task.packet);
  return facts.state === 'NO_OP' ? [packet, sha256Subject('proof', facts.proof)] : [packet];
}
