import { mkdir, mkdtemp } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AstGrepRule, languageOfRule } from '../../domain/packet/line-input.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import { materialiseTree } from '../../sandbox/git/tree-materialise.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import { requireLine } from '../work/inputs.ts';
import { mountAt, places, writableDirectory } from '../work/inside.ts';
import { parserTools } from '../work/parsers/parser-tools.ts';
import { changeScope } from '../work/path-scope.ts';
import { endingOf, type Grammar, grammarsFor } from './families.ts';
import { type RulesAnswer, refuseAnswer, rulesAnswer } from './rules-answer.ts';

const wallMs = 120_000;
const memoryBytes = 1024 * 1024 * 1024;

export type RuleMatch = { readonly path: string; readonly rule: string; readonly count: number };

/** What rules found in a tree, and over which files. */
export type RulesFound = {
  readonly matches: readonly RuleMatch[];
  /** Files of the rules' languages that were searched. */
  readonly files: number;
  /** The same in words: `12 files (8 .ts, 4 .tsx)`. */
  readonly searched: string;
  /** Files in scope that may hold a match and could not be searched, each with the reason: at most 200, and how many there are. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
  readonly unreadCount: number;
  /** Where the files lie; with `rewrite` as the rules leave them. */
  readonly directory: string;
};

type Searched = { readonly path: string; readonly rules: readonly number[]; readonly grammars: readonly Grammar[] };

/**
 * Runs the packet's rules over the files of a tree that the packet's scope allows, inside the sandbox; with `rewrite` the
 * directory it answers holds the rewritten files. Throws `RULE-DOES-NOT-PARSE`, `FILE-NOT-UTF-8`, `FIX-BREAKS-SYNTAX`,
 * `FIX-MATCHES-AGAIN`, `RULES-TIMED-OUT` and `RULES-FAILED` failures.
 */
export async function runRules(request: {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly packet: Packet;
  readonly repository: string;
  readonly tree: TreeId;
  readonly rewrite: boolean;
}): Promise<RulesFound> {
  const { context, driver, packet, repository, tree, rewrite } = request;
  const { rules } = requireLine(packet, 'api-migration');
  const root = join(context.directory, 'rules');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(driver, join(await mkdtemp(join(root, 'run-')), 'tree'));
  await materialiseTree({ repository, tree, directory, owner: driver.fileOwner, signal: context.signal });
  const inScope = changeScope(packet);
  const entries = await listTree({ repository, tree, signal: context.signal });
  const files = entries
    .filter(({ path, mode }) => mode !== '120000' && inScope(path))
    .flatMap(({ path }) => searchesOf(path, rules));

  const answered = await runInside({ context, driver, directory, rewrite, rules, files });
  if (!('matches' in answered)) throw refuseAnswer(answered);
  const unread = new Set(answered.unread.map(({ path }) => path));
  const searched = new Set(
    files.filter(({ grammars, path }) => grammars.length > 0 && !unread.has(path)).map(({ path }) => path),
  );
  return { ...answered, files: searched.size, searched: inWords([...searched]), directory };
}

/** Rules that look at a file alike are applied to it together. */
function searchesOf(path: string, rules: readonly AstGrepRule[]): Searched[] {
  const byGrammars = new Map<string, { rules: number[]; grammars: readonly Grammar[] }>();
  for (const [index, rule] of rules.entries()) {
    const grammars = grammarsFor(languageOfRule(rule), path);
    if (grammars === undefined) continue;
    const same = byGrammars.get(grammars.join()) ?? { rules: [], grammars };
    same.rules.push(index);
    byGrammars.set(grammars.join(), same);
  }
  return [...byGrammars.values()].map((search) => ({ path, ...search }));
}

function inWords(paths: readonly string[]): string {
  const endings = Map.groupBy(paths, endingOf);
  const each = [...endings].map(([ending, found]) => `${found.length} ${ending}`).sort();
  return `${paths.length} ${paths.length === 1 ? 'file' : 'files'}${paths.length === 0 ? '' : ` (${each.join(', ')})`}`;
}

async function runInside(request: {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly directory: string;
  readonly rewrite: boolean;
  readonly rules: readonly AstGrepRule[];
  readonly files: readonly Searched[];
}): Promise<RulesAnswer> {
  const { context, driver, directory, rewrite, files } = request;
  const script = fileURLToPath(
    new URL(`./inside/apply-rules${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  const tools = parserTools(driver, script);
  const workspace = mountAt(driver, directory, places.workspace, rewrite ? 'read-write' : 'read-only');
  const rules = request.rules.map((rule) => ({ ...rule, language: languageOfRule(rule) }));
  const result = await driver.run({
    argv: ['node', tools.script],
    workingDirectory: workspace.target,
    mounts: [workspace, ...tools.mounts],
    environment: { NODE_NO_WARNINGS: '1' },
    limits: { ...defaultSandboxLimits, wallMs, memoryBytes },
    stdin: new TextEncoder().encode(JSON.stringify({ rewrite, rules, files })),
    signal: context.signal,
  });
  if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: 'applying the rules was cancelled' });
  if (result.timedOut)
    throw new TaskFailure({
      kind: 'retryable',
      class: 'environment',
      code: 'RULES-TIMED-OUT',
      message: `The rules did not come to an end within ${wallMs / 1000} s.`,
    });
  const answered = result.exitCode === 0 && !result.outputTruncated ? parseAnswer(result.stdout) : undefined;
  if (answered !== undefined) return answered;
  const said = new TextDecoder().decode(result.stderr.subarray(-500)).trim();
  throw new TaskFailure({
    kind: 'retryable',
    class: 'deterministic',
    code: 'RULES-FAILED',
    message: `Applying the rules ended with ${result.exitCode ?? result.endedBy}: ${said}`,
  });
}

function parseAnswer(bytes: Uint8Array): RulesAnswer | undefined {
  try {
    return rulesAnswer.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
