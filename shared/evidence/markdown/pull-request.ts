import type { ChangeEvidenceFacts } from '../facts/change-evidence-facts.ts';
import { quoteBlock, quoteSpan } from './quote.ts';

/** Items shown of one list; the rest is counted. */
const SHOWN = 30;

/** Characters of a pull request's description. GitHub takes 65,536, Azure DevOps 4,000 in its list view but the whole in the request. */
const DESCRIPTION_LENGTH = 60_000;

function list(items: readonly string[], none: string): string {
  if (items.length === 0) return none;
  const rest = items.length > SHOWN ? [`- and ${items.length - SHOWN} more, in the evidence`] : [];
  return [...items.slice(0, SHOWN).map((item) => `- ${item}`), ...rest].join('\n');
}

const counts = (before: number | null, after: number | null): string =>
  before === null || after === null ? '' : ` (${before} tests before, ${after} after)`;

function reproduction(facts: ChangeEvidenceFacts): string {
  const { reproduction: found, validation } = facts;
  if (found.kind === 'none') return `There is none:\n\n${quoteBlock(found.reason)}`;
  const after = validation.reproductionAfter === 'passes' ? 'passes' : 'was not run';
  return `${quoteSpan(found.command.join(' '))} failed on the base and ${after} on the change. Receipt ${quoteSpan(found.receipt)}.\n\n${quoteBlock(found.summary)}`;
}

function validation({ validation: found }: ChangeEvidenceFacts): string {
  const checks = found.checks.map(
    (check) =>
      `${quoteSpan(check.name)}: ${check.before} before, **${check.after}** after${counts(check.testsBefore, check.testsAfter)}`,
  );
  const scenarios = found.scenarios.map((scenario) => `holdout ${quoteSpan(scenario.name)}: **${scenario.result}**`);
  const hidden = found.holdouts === undefined ? [] : [`hidden scenarios: **${found.holdouts}**`];
  const touched = list(found.testsTouched.map(quoteSpan), 'The change touches no test files.');
  return `Run by another identity than the author, on tree ${quoteSpan(found.tree)}. Receipt ${quoteSpan(found.receipt)}.\n\n${list([...checks, ...scenarios, ...hidden], 'No checks are declared.')}\n\nTest files touched:\n\n${touched}`;
}

function station({ station: by, sandbox, toolchain }: ChangeEvidenceFacts): string {
  const model = by.model === null ? 'no model' : `model ${quoteSpan(`${by.model.provider}/${by.model.name}`)}`;
  const independence =
    sandbox.isolation === 'none'
      ? ' **Nothing isolated the changed code: approvals and receipts are not independent of it.**'
      : '';
  const tools = toolchain
    .slice(0, SHOWN)
    .map((tool) => quoteSpan(`${tool.name} ${tool.version}`))
    .join(', ');
  return `Made by station ${quoteSpan(`${by.name} ${by.version}`)} (${by.kind}, ${model}) in sandbox ${quoteSpan(`${sandbox.kind} ${sandbox.version}`)}, with ${tools}.${independence}`;
}

function task({ task: asked }: ChangeEvidenceFacts): string {
  const excluded = list(asked.nonGoals.slice(0, 5).map(quoteSpan), 'Nothing was excluded.');
  return `From ${quoteSpan(asked.source.reference ?? asked.source.kind)}, packet ${quoteSpan(asked.packet)}.\n\n${quoteBlock(asked.intent)}\n\nNot asked for:\n\n${excluded}`;
}

function diff({ change, base }: ChangeEvidenceFacts): string {
  const figures = `${change.pathCount} files, +${change.linesAdded} −${change.linesRemoved}, ${change.binaryFiles} binary`;
  return `${figures}; diff ${quoteSpan(change.diff)} on commit ${quoteSpan(base.commit)}.\n\n${list(change.paths.map(quoteSpan), 'No paths are listed.')}`;
}

function residualRisk({ risk }: ChangeEvidenceFacts): string {
  const reasons = risk.reasons.slice(0, 8).map((reason) => `${quoteSpan(reason.signal)}: ${quoteSpan(reason.because)}`);
  return `${list(risk.residual.slice(0, 5).map(quoteSpan), 'None is known.')}\n\nWhy ${risk.tier}:\n\n${list(reasons, 'No signal raised it.')}`;
}

/**
 * Change evidence as the description of a pull request. Whatever came from a packet, repository or station is set as code, so it can neither link,
 * mention nor format (see `quote.ts`); at most DESCRIPTION_LENGTH characters, longer lists cut first.
 */
export function renderPullRequest(facts: ChangeEvidenceFacts, evidenceDigest: string): string {
  const sections: readonly (readonly [string, string])[] = [
    [
      'Summary',
      `${quoteBlock(facts.task.goal)}\n\n${station(facts)}\n\nRisk: **${facts.risk.tier}**. Request ${quoteSpan(facts.request.id)}, evidence ${quoteSpan(evidenceDigest)}.`,
    ],
    ['Original task', task(facts)],
    ['Reproduction', reproduction(facts)],
    ['Plan', `${quoteSpan(facts.plan.digest)}\n\n${quoteBlock(facts.plan.summary)}`],
    ['Diff', diff(facts)],
    ['Validation', validation(facts)],
    ['No-op or escalation', 'Neither: the change was made and validated.'],
    ['Residual risk', residualRisk(facts)],
    ['Rollback', quoteBlock(facts.rollback)],
  ];
  const text = sections.map(([title, body]) => `## ${title}\n\n${body}\n`).join('\n');
  if (text.length <= DESCRIPTION_LENGTH) return text;
  // Cutting could end inside a fence; headings alone, with where the rest is, are safe.
  return `${sections
    .slice(0, 2)
    .map(([title, body]) => `## ${title}\n\n${body}\n`)
    .join(
      '\n',
    )}\n## The rest\n\nThis description would be too long. The evidence ${quoteSpan(evidenceDigest)} has the whole.\n`;
}
