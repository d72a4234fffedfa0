import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { root } from '../docs/documents.ts';

/** What a call of az is answered: its output, or the exit code it fails with. Of several, each once in turn; the last one from then on. */
export type Answer = string | { readonly fails: number };

/**
 * An `az` on PATH that answers from files and writes down its arguments, and a `curl` and an `npm` that do the same. A call that no rule fits fails
 * with 64: a script can't ask for something that a test does not know of. The first rule that fits counts; a pattern is a glob of the shell.
 */
const PROGRAM = `#!/usr/bin/env bash
here="$(cd "$(dirname "$0")" && pwd)"
said="$(basename "$0") $*" last=
said="\${said//$'\\n'/ }"
printf '%s\\n' "$said" >>"$here/calls"
for rule in "$here"/rules/*/; do
  pattern="$(cat "$rule/pattern")"
  # shellcheck disable=SC2053
  [[ "$said" == $pattern ]] || continue
  times=$(($(cat "$rule/times" 2>/dev/null || echo 0) + 1))
  echo "$times" >"$rule/times"
  while [[ ! -e "$rule/answer.$times" ]]; do times=$((times - 1)); done
  to=
  for word in "$@"; do [[ "$last" != --outfile ]] || to="$word"; last="$word"; done
  if [[ -n "$to" ]]; then cat "$rule/answer.$times" >"$to"; else cat "$rule/answer.$times"; fi
  exit "$(cat "$rule/status.$times")"
done
echo "nothing is said about: $said" >&2
exit 64
`;

export type Rule = readonly [pattern: string, ...answers: readonly Answer[]];

export type ScriptedAz = {
  readonly directory: string;
  /** Replaces all that is answered; what was called so far stays. */
  answers(rules: readonly Rule[]): void;
  /** Runs a script of the landing zone, the directory its own. */
  run(
    script: string,
    args: readonly string[],
    more?: { readonly environment?: Readonly<Record<string, string>>; readonly input?: string },
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string };
  /** Every call since the last time this was asked, in order. Paths of temporary directories are written as TMP. */
  calls(): readonly string[];
};

export function scriptedAz(): ScriptedAz {
  const directory = mkdtempSync(path.join(tmpdir(), 'scripted-az-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const bin = path.join(directory, 'bin');
  mkdirSync(bin);
  for (const name of ['az', 'curl', 'npm']) {
    writeFileSync(path.join(bin, name), PROGRAM);
    chmodSync(path.join(bin, name), 0o755);
  }
  return {
    directory,
    answers(rules) {
      rmSync(path.join(bin, 'rules'), { recursive: true, force: true });
      for (const [index, [pattern, ...answers]] of rules.entries()) {
        const rule = path.join(bin, 'rules', String(index).padStart(3, '0'));
        mkdirSync(rule, { recursive: true });
        writeFileSync(path.join(rule, 'pattern'), pattern);
        for (const [turn, answer] of (answers.length === 0 ? [''] : answers).entries()) {
          const text = typeof answer === 'string' ? answer : '';
          writeFileSync(path.join(rule, `answer.${turn + 1}`), text === '' || text.endsWith('\n') ? text : `${text}\n`);
          writeFileSync(path.join(rule, `status.${turn + 1}`), typeof answer === 'string' ? '0' : String(answer.fails));
        }
      }
    },
    run(script, args, more = {}) {
      const { status, stdout, stderr } = spawnSync('bash', [path.join(root, 'infra', 'scripts', script), ...args], {
        encoding: 'utf8',
        cwd: directory,
        input: more.input ?? '',
        env: {
          PATH: `${bin}:${path.join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
          FACTORY_POLL_SECONDS: '0',
          TMPDIR: directory,
          ...more.environment,
        },
      });
      return { status, stdout, stderr };
    },
    calls() {
      const file = path.join(bin, 'calls');
      if (!existsSync(file)) return [];
      const said = readFileSync(file, 'utf8').trimEnd().split('\n');
      rmSync(file);
      return said.map((call) =>
        call
          .replaceAll(/[^ ]*\/tmp\.[A-Za-z0-9]+\//g, 'TMP/')
          .replaceAll(`${root}/`, '')
          .replaceAll(`${directory}/`, ''),
      );
    },
  };
}
