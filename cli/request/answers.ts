import type { EvidenceFacts } from '../../shared/evidence/facts/bundle-facts.ts';
import { plainText } from '../output/terminal.ts';

/** The five questions about a request, answered from its evidence bundle and nothing else. */
export type FiveAnswers = {
  readonly ran: readonly string[];
  readonly changed: readonly string[];
  readonly approved: readonly string[];
  readonly reproduce: readonly string[];
  readonly recover: readonly string[];
};

export const QUESTIONS: Readonly<Record<keyof FiveAnswers, string>> = {
  ran: 'What exactly ran?',
  changed: 'What changed?',
  approved: 'Who approved it?',
  reproduce: 'Can we reproduce it?',
  recover: 'Can we recover it?',
};

const short = (digest: string): string => digest.slice(0, 19);

export function fiveAnswers(facts: EvidenceFacts): FiveAnswers {
  return {
    ran: ran(facts),
    changed: changed(facts),
    approved: approved(facts),
    reproduce: reproduce(facts),
    recover: recover(facts),
  };
}

function ran(facts: EvidenceFacts): string[] {
  const lines = facts.jobs.map(
    (job) =>
      `${job.node}.${job.round} in pool ${job.pool} by ${job.principal ?? 'nobody at the end'}, epoch ${job.epoch}, attempt ${job.attempt}: ${job.verdict ?? job.state}`,
  );
  const head = `line ${facts.request.line} ${short(facts.request.lineDigest)} on packet ${short(facts.task.packet)}, definitions ${short(facts.request.definitions)}`;
  if (facts.state !== 'PR_READY') return [head, ...lines];
  const { station, sandbox, toolchain } = facts;
  return [
    head,
    ...lines,
    `station ${station.name} ${station.version} (${station.kind}${station.model === null ? '' : `, model ${station.model.name}`}), sandbox ${sandbox.kind} ${sandbox.version} (${sandbox.isolation}${sandbox.limits === undefined ? '' : `, limits by ${sandbox.limits}`})`,
    `toolchain ${toolchain.map((tool) => `${tool.name} ${tool.version}`).join(', ')}`,
  ];
}

function changed(facts: EvidenceFacts): string[] {
  const effects = facts.effects.map(
    (effect) =>
      `${effect.kind} ${effect.target}: ${effect.state}${effect.observed === null ? '' : `, seen ${plainText(effect.observed)}`}`,
  );
  if (facts.state !== 'PR_READY') return effects.length > 0 ? effects : ['nothing: no effect was performed'];
  const { change, base } = facts;
  return [
    `${change.pathCount} files, +${change.linesAdded} -${change.linesRemoved}: ${change.paths.map(plainText).join(', ')}`,
    `from commit ${base.commit} of ${base.repository} (tree ${short(base.tree)}) to tree ${short(change.tree)}`,
    ...effects,
  ];
}

function approved(facts: EvidenceFacts): string[] {
  const people = facts.approvals.flatMap((approval) => [
    `${approval.id} (${approval.subject.type}, risk ${approval.subject.risk}, ${approval.required} needed): ${approval.state}`,
    ...approval.decisions.map(
      (decision) => `  ${decision.decision} by ${decision.by} at ${decision.at}: ${plainText(decision.reason)}`,
    ),
  ]);
  const policies = new Set(facts.policyDecisions.map((decision) => short(decision.policy)));
  const standing = `${facts.policyDecisions.length} policy decisions recorded, under policy ${[...policies].join(', ')}`;
  return people.length > 0 ? [...people, standing] : ['no approval of a person was needed for what happened', standing];
}

function reproduce(facts: EvidenceFacts): string[] {
  const fixed = `everything it began with is fixed by digest: packet ${short(facts.task.packet)}, definitions ${short(facts.request.definitions)}, line ${short(facts.request.lineDigest)}`;
  if (facts.state !== 'PR_READY') return [fixed];
  const { reproduction, validation } = facts;
  const before =
    reproduction.kind === 'failed_before'
      ? `before: ${reproduction.command.join(' ')} failed on the base`
      : `no reproduction: ${plainText(reproduction.reason)}`;
  const checks = validation.checks.map((check) => `${check.name} ${check.before} → ${check.after}`).join(', ');
  return [
    fixed,
    before,
    `after: reproduction ${validation.reproductionAfter}, checks ${checks || 'none'}, on tree ${short(validation.tree)}, receipt ${short(validation.receipt)}`,
  ];
}

function recover(facts: EvidenceFacts): string[] {
  const effects = facts.effects.map((effect) => `${effect.kind}: ${plainText(effect.rollback)}`);
  if (facts.state === 'PR_READY') return [plainText(facts.rollback), ...effects];
  return effects.length > 0 ? effects : ['nothing to undo: no effect was performed'];
}
