import { holdoutSet } from '../../domain/application/holdouts.ts';
import { digestOfBytes } from '../../domain/digest.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { Bench } from '../runs/bench.ts';

/** The hidden scenarios of the job, when it was given any. What can't be read is told of without a word of it. */
export async function readHoldouts(context: TaskContext): Promise<Bench['holdouts']> {
  if (!context.hasInput('holdouts')) return null;
  const bytes = await context.input('holdouts');
  try {
    const set = holdoutSet.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    return { digest: digestOfBytes(bytes), set };
  } catch {
    throw new TaskFailure({
      kind: 'terminal',
      code: 'HOLDOUTS-MALFORMED',
      message:
        'The hidden scenarios of the application are not of the form that this verifier knows. Its policy owner registers them again.',
    });
  }
}
