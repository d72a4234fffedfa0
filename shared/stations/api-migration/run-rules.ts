import { mkdir, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { AstGrepRule } from '../../domain/packet/line-input.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { Mount, SandboxDriver } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import { materialiseTree } from '../../sandbox/git/tree-materialise.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import { requireLine } from '../work/inputs.ts';
import { mountAt, places, writableDirectory } from '../work/inside.ts';
import { changeScope } from '../work/path-scope.ts';

const wallMs = 120_000;
const memoryBytes = 1024 * 1024 * 1024;

const answer = z.union([
  z.strictObject({ fault: z.strictObject({ rule: z.string(), message: z.string() }) }),
  z.strictObject({ notText: z.strictObject({ path: z.string(), rule: z.string() }) }),
  z.strictObject({ matches: z.array(z.strictObject({ path: z.string(), rule: z.string(), count: z.int().min(1) })) }),
]);
export type RuleMatch = { readonly path: string; readonly rule: string; readonly count: number };

const extensions: Readonly<Record<AstGrepRule['language'], RegExp>> = {
  javascript: /\.[cm]?jsx?$/,
  typescript: /\.[cm]?ts$/,
  tsx: /\.tsx$/,
  html: /\.html?$/,
  css: /\.css$/,
};

/**
 * Runs the packet's rules over the files of a tree that the packet's scope allows, inside the sandbox; with `rewrite` the
 * directory it answers holds the rewritten files. `files` says how many files of the rules' languages there were to look at. Throws
 * `RULE-DOES-NOT-PARSE`, `FILE-NOT-UTF-8`, `RULES-TIMED-OUT` and `RULES-FAILED` failures.
 */
export async function runRules(request: {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  readonly packet: Packet;
  readonly repository: string;
  readonly tree: TreeId;
  readonly rewrite: boolean;
}): Promise<{ readonly matches: readonly RuleMatch[]; readonly files: number; readonly directory: string }> {
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
    .flatMap(({ path }) => languagesOf(path, rules).map((language) => ({ path, language })));

  const tool = rulesTool(driver);
  const workspace = mountAt(driver, directory, places.workspace, rewrite ? 'read-write' : 'read-only');
  const result = await driver.run({
    argv: ['node', tool.script],
    workingDirectory: workspace.target,
    mounts: [workspace, ...tool.mounts],
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
  if (answered === undefined) {
    const said = new TextDecoder().decode(result.stderr.subarray(-500)).trim();
    throw new TaskFailure({
      kind: 'retryable',
      class: 'deterministic',
      code: 'RULES-FAILED',
      message: `Applying the rules ended with ${result.exitCode ?? result.endedBy}: ${said}`,
    });
  }
  if ('fault' in answered) {
    const { rule, message } = answered.fault;
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'RULE-DOES-NOT-PARSE',
      question: `The rule ${rule} is not one ast-grep can use: ${message.slice(0, 1_000)}. Correct it and submit again? Note that a pattern such as f($A, $$$REST) does not match a call with one argument.`,
    });
  }
  if ('notText' in answered) {
    const { path, rule } = answered.notText;
    throw new TaskFailure({
      kind: 'needs_human',
      code: 'FILE-NOT-UTF-8',
      question: `The rule ${rule} matches in ${path.slice(0, 500)}, which is not UTF-8: rewriting it would change other bytes too. Convert the file, or put it under scope.deniedPaths and submit again?`,
    });
  }
  return { matches: answered.matches, files: files.length, directory };
}

function languagesOf(path: string, rules: readonly AstGrepRule[]): string[] {
  return [...new Set(rules.map(({ language }) => language))].filter((language) => extensions[language].test(path));
}

function parseAnswer(bytes: Uint8Array): z.infer<typeof answer> | undefined {
  try {
    return answer.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** The script as it appears inside, with the native library beside it. Its name ends as this module's does: sources or build. */
function rulesTool(driver: SandboxDriver): { readonly script: string; readonly mounts: readonly Mount[] } {
  const script = fileURLToPath(
    new URL(`./inside/apply-rules${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
  );
  if (driver.isolation === 'none') return { script, mounts: [] };
  const library = dirname(dirname(createRequire(import.meta.url).resolve('@ast-grep/napi')));
  return {
    script: `${places.tools}/${basename(script)}`,
    mounts: [
      { source: script, target: `${places.tools}/${basename(script)}`, mode: 'read-only' },
      { source: library, target: `${places.tools}/node_modules/@ast-grep`, mode: 'read-only' },
    ],
  };
}
