import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * An `az` that keeps one deployment stack: made by `stack sub create`, listed by `stack sub list`, and asked what would change by
 * `deployment sub what-if`. Everything else fails with 64. What it is told to be is in files, so that it outlives whoever asks.
 */
const PROGRAM = `#!/usr/bin/env bash
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
printf '%s\\n' "$*" >>"$here/calls"
case "$*" in
  "stack sub list"*)
    if [[ -s "$here/lag" && -e "$here/applied.json" ]]; then
      sed -i '$d' "$here/lag"
      echo '[]'
    elif [[ -s "$here/pending" ]]; then
      sed -i '$d' "$here/pending"
      sed 's/"succeeded"/"Deploying"/' "$here/stack.json"
    else
      cat "$here/stack.json"
    fi ;;
  "deployment sub what-if"*) [[ ! -e "$here/unanswered" ]] || { echo "(ServerTimeout) later" >&2; exit 1; }; cat "$here/what-if.json" ;;
  "stack sub create"*)
    [[ ! -e "$here/refuses" ]] || { echo "(DeploymentStackInNonTerminalState) another update is under way" >&2; exit 1; }
    mark= last= from=
    for word in "$@"; do
      [[ "$last" != --description ]] || mark="$word"
      [[ "$last" != --template-file ]] || from="$word"
      last="$word"
    done
    cp "$from" "$here/applied.json"
    printf '[{"mark":"%s","state":"%s"}]' "$mark" "$(cat "$here/ends")" >"$here/stack.json"
    cp "$here/after.json" "$here/what-if.json" ;;
  *) echo "nothing is said about: $*" >&2; exit 64 ;;
esac
`;

type Change = { readonly resourceId: string; readonly changeType: string };
export const whatIf = (...changes: readonly Change[]) => ({ status: 'Succeeded', changes });

export type StackAz = ReturnType<typeof stackAz>;

/** Begins without a stack; deploying succeeds at once, and nothing would change from then on. */
export function stackAz() {
  const directory = mkdtempSync(path.join(tmpdir(), 'stack-az-'));
  const bin = path.join(directory, 'bin');
  mkdirSync(bin);
  const put = (name: string, text: string): void => writeFileSync(path.join(bin, name), text);
  const read = (name: string): string =>
    existsSync(path.join(bin, name)) ? readFileSync(path.join(bin, name), 'utf8') : '';
  put('az', PROGRAM);
  chmodSync(path.join(bin, 'az'), 0o755);
  put('stack.json', '[]');
  put('ends', 'succeeded');
  put('what-if.json', JSON.stringify(whatIf()));
  put('after.json', JSON.stringify(whatIf()));
  return {
    bin,
    directory,
    /** With this az before any other. */
    path: `${bin}:${process.env['PATH'] ?? ''}`,
    wouldChange: (...changes: readonly Change[]) => put('what-if.json', JSON.stringify(whatIf(...changes))),
    /** The stack as others left it. */
    stack: (mark: string, state: string) => put('stack.json', JSON.stringify([{ mark, state }])),
    /** Looks at a stack say that it is under way, so many times. */
    pending: (times: number) => put('pending', 'x\n'.repeat(times)),
    /** Looks at a stack do not show what was begun, so many times. */
    lags: (times: number) => put('lag', 'x\n'.repeat(times)),
    endsAs: (state: string) => put('ends', state),
    refusesToCreate: () => put('refuses', ''),
    unanswered: () => put('unanswered', ''),
    applied: () => JSON.parse(read('applied.json') || 'null') as unknown,
    shown: () => JSON.parse(read('stack.json')) as { mark: string; state: string }[],
    calls: () =>
      read('calls')
        .split('\n')
        .filter((call) => call !== ''),
    /** How many deployments were begun. */
    created: () =>
      read('calls')
        .split('\n')
        .filter((call) => call.startsWith('stack sub create')).length,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
