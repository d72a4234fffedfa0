import { z } from 'zod';
import { revealed } from '../../domain/text/hidden.ts';
import { TaskFailure } from '../../jobs/task.ts';

/** What `inside/apply-rules.ts` answers: what it found, or the one reason why the rules can't be used. It is a stranger's word. */
const place = { path: z.string(), rule: z.string() };
const line = z.int().min(1);

export const rulesAnswer = z.union([
  z.strictObject({ fault: z.strictObject({ rule: z.string(), message: z.string() }) }),
  z.strictObject({ notText: z.strictObject(place) }),
  z.strictObject({ broken: z.strictObject({ ...place, line, text: z.string() }) }),
  z.strictObject({ endless: z.strictObject({ ...place, line }) }),
  z.strictObject({
    matches: z.array(z.strictObject({ ...place, count: z.int().min(1) })),
    unread: z.array(z.strictObject({ path: z.string(), why: z.string().max(200) })),
    unreadCount: z.int().min(0),
  }),
]);
export type RulesAnswer = z.infer<typeof rulesAnswer>;

/** The failure that a reason stands for, with the question to whoever wrote the rules. */
export function refuseAnswer(answer: Exclude<RulesAnswer, { matches: unknown }>): TaskFailure {
  const [code, question] = questionOf(answer);
  return new TaskFailure({ kind: 'needs_human', code, question: question.slice(0, 2_000) });
}

function questionOf(answer: Exclude<RulesAnswer, { matches: unknown }>): [string, string] {
  if ('fault' in answer)
    return [
      'RULE-DOES-NOT-PARSE',
      `The rule ${answer.fault.rule} is not one ast-grep can use: ${answer.fault.message.slice(0, 1_000)}. Correct it and submit again? Note that a pattern such as f($A, $$$REST) does not match a call with one argument.`,
    ];
  if ('notText' in answer)
    return [
      'FILE-NOT-UTF-8',
      `The rule ${answer.notText.rule} matches in ${answer.notText.path.slice(0, 500)}, which is not UTF-8: rewriting it would change other bytes too. Convert the file, or put it under scope.deniedPaths and submit again?`,
    ];
  if ('broken' in answer) {
    const { path, rule, line: at, text } = answer.broken;
    return [
      'FIX-BREAKS-SYNTAX',
      `The fix of rule ${rule} makes code that does not parse: ${path.slice(0, 500)} gets a syntax error in line ${at}, ${JSON.stringify(revealed(text.slice(0, 200)))}. Nothing was changed. Correct the fix and submit again?`,
    ];
  }
  const { path, rule, line: at } = answer.endless;
  return [
    'FIX-MATCHES-AGAIN',
    `The rule ${rule} still matches in ${path.slice(0, 500)}, line ${at}, once all rules are applied: its own fix, or that of another rule, makes what it looks for, so the rules would never be done. Exclude the new form in the rule (with "not" or "constraints") and submit again?`,
  ];
}
