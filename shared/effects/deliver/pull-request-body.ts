import { z } from 'zod';
import { envelopeSchema } from '../../evidence/dsse/envelope.ts';
import { changeEvidenceFacts } from '../../evidence/facts/change-evidence-facts.ts';
import { renderPullRequest } from '../../evidence/markdown/pull-request.ts';
import { PREDICATE_TYPE, statementSchema } from '../../evidence/statement.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';

const about = statementSchema.extend({ predicateType: z.literal(PREDICATE_TYPE.changeEvidence) });

/**
 * The description of a pull request: the change evidence, rendered. The envelope came with its digest from the plane that signed
 * it, so its signature is not checked again here; that it speaks of this request and of the very tree about to be pushed is.
 *
 * @throws TaskFailure `EVIDENCE-OF-OTHER-CHANGE` or `EVIDENCE-UNREADABLE`; nothing has been effected then.
 */
export async function pullRequestBody(context: TaskContext, tree: string, digest: string): Promise<string> {
  const facts = readFacts(await context.input('evidence'));
  if (facts.change.tree !== tree || facts.request.id !== context.claim.request) {
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'EVIDENCE-OF-OTHER-CHANGE',
      question: `The change evidence ${digest} is about tree ${facts.change.tree} of request ${facts.request.id}; the change on hand has the tree ${tree} of request ${context.claim.request}. Nothing was delivered. Find out how they came apart, and retry the request.`,
    });
  }
  return renderPullRequest(facts, digest);
}

function readFacts(bytes: Uint8Array) {
  try {
    const envelope = envelopeSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    const statement = about.parse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')));
    return changeEvidenceFacts.parse(statement.predicate);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 500) : String(error);
    throw new TaskFailure({
      kind: 'terminal',
      code: 'EVIDENCE-UNREADABLE',
      message: `The change evidence can't be read: ${why}`,
    });
  }
}
