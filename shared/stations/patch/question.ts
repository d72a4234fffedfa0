import type { SandboxRefusal } from '../../sandbox/refusal.ts';

/** What a person is asked of a patch that can't be put on a commit; undefined when the refusal is of another kind. */
export function patchQuestion({ code, message }: SandboxRefusal, commit: string): string | undefined {
  const said = message.replace(/^[A-Z0-9-]+: /, '').slice(0, 1_200);
  if (code === 'PATCH-CONFLICT')
    return `The packet's patch conflicts with commit ${commit}: ${said} Resolve it in a patch made against that commit and submit again, or name in scope.ref the commit it was made for?`;
  if (code.startsWith('PATCH-'))
    return `The packet's patch can't be applied to commit ${commit}: ${said} Make the patch against that commit and submit again, or name in scope.ref the branch or commit it was made for?`;
  return undefined;
}
