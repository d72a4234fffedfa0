import { confirm, isCancel } from '@clack/prompts';
import { interactive } from './terminal.ts';

/** Asks on a terminal. Without one the answer is no: nothing is decided that nobody was asked about. */
export async function confirmed(question: string): Promise<boolean> {
  if (!interactive()) return false;
  const answer = await confirm({ message: question, initialValue: false });
  return !isCancel(answer) && answer;
}
