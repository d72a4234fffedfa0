import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { revealed } from '../../domain/text/hidden.ts';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { DiffEntry } from '../../sandbox/git/diff.ts';
import { listTree, type TreeEntry } from '../../sandbox/git/tree-list.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { writableDirectory } from '../../stations/work/inside.ts';
import { type Language, languageOfPath, parsedBytes } from '../../stations/work/parsers/languages.ts';
import { runParser } from '../../stations/work/parsers/run-parser.ts';
import type { Bench } from '../runs/bench.ts';

/** Bounds of one look. What is beyond them is said, never passed over. */
const filesParsed = 2_000;
const totalBytes = 64 * 1024 * 1024;
const filesNamed = 5;

/** Folders whose files may be broken on purpose: what a parser or a linter is tried on. */
const fixtures = /(?:^|\/)(?:(?:__)?(?:test)?fixtures?(?:__)?|test-?data|test-?cases|__snapshots__)\//i;

const answer = z.array(
  z.strictObject({
    state: z.enum(['sound', 'broken', 'unsound', 'unread']),
    marks: z.array(z.strictObject({ line: z.int().min(1), text: z.string().max(200) })).max(10),
  }),
);

type Parsed = {
  readonly path: string;
  readonly language: Language;
  readonly after: string;
  readonly before: string | undefined;
};
type Selected = { readonly files: readonly Parsed[]; readonly notVerified: readonly string[] };

/** What a change does to the syntax of the files it writes. Faults name file and line; `notVerified` names what could not be told. */
export type Soundness = { readonly faults: readonly string[]; readonly notVerified: readonly string[] };

/**
 * Whether each file that a change adds or rewrites still parses, whichever line made the change. Only errors that the base's version
 * of the file did not have are faults. Parses inside the sandbox. Throws `SYNTAX-CHECK-TIMED-OUT` and `SYNTAX-CHECK-FAILED` failures.
 */
export async function checkSoundness(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
  entries: readonly DiffEntry[],
): Promise<Soundness> {
  const { signal } = bench.context;
  const list = ({ repository, tree }: Snapshot) => listTree({ repository, tree, signal });
  const { files, notVerified } = selectFiles(entries, await list(base), await list(head));
  if (files.length === 0) return { faults: [], notVerified };
  const states = await parse(bench, head.repository, files);
  const of = (state: z.infer<typeof answer>[number]['state']) =>
    states.flatMap((judged, index) => {
      const path = files[index]?.path ?? '';
      const first = judged.marks[0];
      return judged.state === state ? [{ path, line: first?.line, text: first?.text ?? '' }] : [];
    });
  const broken = of('broken');
  const paths = (found: readonly { readonly path: string }[]) => found.map(({ path }) => path);
  return {
    faults: broken
      .filter(({ path }) => !fixtures.test(path))
      .map(
        ({ path, line, text }) =>
          `${path} has a syntax error in line ${line} that the base does not have: ${JSON.stringify(revealed(text.slice(0, 120)))}`,
      ),
    notVerified: [
      ...notVerified,
      ...named('it does not parse, and did not before, so errors in it prove nothing', paths(of('unsound'))),
      ...named(
        'it does not parse, which a fixture may not on purpose',
        paths(broken.filter(({ path }) => fixtures.test(path))),
      ),
      ...named('its encoding or its parser is not known on this machine, so it was not checked', paths(of('unread'))),
    ],
  };
}

function selectFiles(
  entries: readonly DiffEntry[],
  before: readonly TreeEntry[],
  after: readonly TreeEntry[],
): Selected {
  const sizes = new Map([...before, ...after].map(({ blob, bytes }) => [blob, bytes]));
  const known = new Set(before.map(({ blob }) => blob));
  const files: Parsed[] = [];
  const unknown: string[] = [];
  const large: string[] = [];
  let total = 0;
  for (const { path, newMode, newBlob, oldMode, oldBlob } of entries) {
    // What only moves, or changes its mode, is text that the base has too.
    if (newBlob === null || newMode === '120000' || newMode === '160000' || known.has(newBlob)) continue;
    const language = languageOfPath(path);
    if (language === undefined) {
      unknown.push(path);
      continue;
    }
    const old = (oldMode === '120000' ? null : oldBlob) ?? movedFrom(path, entries);
    const bytes = sizes.get(newBlob) ?? 0;
    total += bytes;
    if (bytes > parsedBytes(language) || total > totalBytes || files.length >= filesParsed) large.push(path);
    else {
      const comparable = old !== null && (sizes.get(old) ?? 0) <= parsedBytes(language);
      files.push({ path, language, after: newBlob, before: comparable ? old : undefined });
    }
  }
  return {
    files,
    notVerified: [
      ...named('there is no parser for it, so its syntax was not checked', unknown),
      ...named('it is larger than what is parsed, so its syntax was not checked', large),
    ],
  };
}

/** The blob of a deleted file of the same name: what a file that moved and was edited is compared with. */
function movedFrom(path: string, entries: readonly DiffEntry[]): string | null {
  const name = posix.basename(path);
  return entries.find((entry) => entry.status === 'deleted' && posix.basename(entry.path) === name)?.oldBlob ?? null;
}

function named(why: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > filesNamed ? ` and ${paths.length - filesNamed} more` : '';
  return [`syntax of ${paths.slice(0, filesNamed).join(', ')}${more}: ${why}`.slice(0, 2_000)];
}

async function parse(bench: Bench, repository: string, files: readonly Parsed[]): Promise<z.infer<typeof answer>> {
  const { context, driver, recorder } = bench;
  const root = join(context.directory, 'soundness');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await writableDirectory(driver, join(await mkdtemp(join(root, 'run-')), 'files'));
  const written = files.flatMap(({ after, before }, index) => [
    { name: `${index}.after`, blob: after },
    ...(before === undefined ? [] : [{ name: `${index}.before`, blob: before }]),
  ]);
  let index = 0;
  const blobs = written.map(({ blob }) => blob);
  for await (const bytes of readBlobs(repository, blobs, context.signal))
    await writeFile(join(directory, written[index++]?.name ?? ''), bytes, { mode: 0o644 });

  return await runParser({
    context,
    driver,
    script: new URL(`./inside/find-new-errors${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
    directory,
    mode: 'read-only',
    input: ({ python }) => ({ python, files: files.map(({ path, language }) => ({ path, language })) }),
    answer: answer.length(files.length),
    doing: `Parsing the ${files.length} files of the change`,
    whenSlow: 'Split the change, or look for a generated file in it.',
    code: 'SYNTAX-CHECK',
    ended: (result) => recorder.record('syntax of the changed files', { ...result, stdout: new Uint8Array() }),
  });
}
