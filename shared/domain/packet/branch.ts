import { z } from 'zod';

const LENGTH = 200;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** git-check-ref-format(1), rules 3 to 5, 8 and 10: what no ref may hold anywhere. */
const FORBIDDEN = /[\x20~^:?*[\\]|\.\.|@\{|\/\//;
/** Characters that are not seen, or that make one name look like another (Unicode categories Cc, Cf, Zl, Zp, Zs and halves of pairs). */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\uFFFD]/u;

/** Whether a ref names a commit by its whole id. git makes no branch of such a name. */
export const isCommitRef = (ref: string): boolean => COMMIT.test(ref);

/**
 * Why a text can't be a branch, as the rest of a sentence that begins with the name; undefined when it can. Takes what
 * git-check-ref-format(1) takes, `#`, `%` and letters of any script included, but nothing that passes for an option or hides characters.
 */
export function branchFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > LENGTH) return `has more than ${LENGTH} characters`;
  if (name.startsWith('-')) return 'begins with "-", as an option does';
  if (HIDDEN.test(name)) return 'holds a space or a character that is not seen';
  if (FORBIDDEN.test(name)) return 'holds what git takes in no branch: one of ~ ^ : ? * [ \\, or "..", "@{", "//"';
  if (name === '@' || name === 'HEAD') return 'means HEAD, not a branch';
  if (name.startsWith('/') || name.endsWith('/') || name.endsWith('.'))
    return 'begins or ends with "/", or ends with "."';
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock')))
    return 'has a part that begins with "." or ends with ".lock"';
  return undefined;
}

const refused = (name: string, fault: string): string =>
  `The branch ${JSON.stringify(name.slice(0, LENGTH))} ${fault}.`;

/** The name of a branch, without `refs/heads/`. */
export const branch = z.string().superRefine((value, context) => {
  const fault = isCommitRef(value) ? "is a commit's id" : branchFault(value);
  if (fault !== undefined)
    context.addIssue({ code: 'custom', params: { code: 'wrong_format' }, message: refused(value, fault) });
});

/** What a change is made on: a branch, or a commit by its whole id of 40 or 64 hexadecimal digits. */
export const ref = z.string().superRefine((value, context) => {
  const fault = isCommitRef(value) ? undefined : branchFault(value);
  if (fault !== undefined)
    context.addIssue({ code: 'custom', params: { code: 'wrong_format' }, message: refused(value, fault) });
});
