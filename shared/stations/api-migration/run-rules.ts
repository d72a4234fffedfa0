import { mkdir, mkdtemp } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AstGrepRule, languageOfRule } from '../../domain/packet/line-input.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import type { TaskContext } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import { materialiseTree } from '../../sandbox/git/tree-materialise.ts';
import { requireLine } from '../work/inputs.ts';
import { writableDirectory } from '../work/inside.ts';
import { runParser } from '../work/parsers/run-parser.ts';
import { changeScope } from '../work/path-scope.ts';
import { endingOf, type Grammar, grammarsFor } from './families.ts';
import { refuseAnswer, rulesAnswer } from './rules-answer.ts';

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

  const answered = await runParser({
    context,
    driver,
    script: new URL(`./inside/apply-rules${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
    directory,
    mode: rewrite ? 'read-write' : 'read-only',
    input: () => ({ rewrite, rules: rules.map((rule) => ({ ...rule, language: languageOfRule(rule) })), files }),
    answer: rulesAnswer,
    doing: 'Applying the rules',
    whenSlow: 'Narrow scope.allowedPaths, or split the rules over packets.',
    code: 'RULES',
  });
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
