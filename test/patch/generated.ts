import fc from 'fast-check';

/** One character a byte. */
export type Content = { readonly mode: string; readonly text: string };
export type Tree = ReadonlyMap<string, Content>;

/** A base, what an edit makes of it, what others made of it meanwhile, and both together. */
export type Situation = {
  readonly base: Tree;
  readonly edit: Tree;
  readonly drift: Tree;
  readonly both: Tree;
  /** Files that the edit touches, by the names they have in either tree. */
  readonly touched: readonly string[];
  readonly options: readonly string[];
  readonly stripped: boolean;
};

const NAMES = [
  'list.txt',
  'src/main.js',
  'to do.md',
  'Übersicht.md',
  'say "hi".txt',
  'b/list.txt',
  'i/w.txt',
  'deep/er/x.c',
];
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Lines that are each their own, between blocks that all look alike. */
function linesOf(seed: number, blocks: number): string[] {
  const lines: string[] = [];
  for (let block = 0; block < blocks; block++)
    lines.push(
      ...['function {', '  open', '  a - b', '  more', '  close', '}', ''],
      ...Array.from({ length: 5 }, (_, at) => `own ${seed} ${block} ${at}`),
    );
  return lines;
}

const file = fc
  .record({
    seed: fc.nat(99),
    blocks: fc.integer({ min: 1, max: 3 }),
    end: fc.constantFrom('\n', '\r\n'),
    last: fc.boolean(),
    binary: fc.boolean(),
    mode: fc.constantFrom('100644', '100644', '100755'),
  })
  .map(({ seed, blocks, end, last, binary, mode }) => {
    const text = linesOf(seed, blocks).join(end) + (last ? end : '');
    return { mode, text: binary && seed % 4 === 0 ? `\0\u00ff${text}` : text };
  });

type Op =
  | { readonly does: 'replace' | 'insert' | 'remove'; readonly at: number }
  | { readonly does: 'rename' | 'delete' | 'chmod' | 'binary' | 'latin1' };

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('replace', 'insert', 'remove'), at: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.constantFrom<Op>({ does: 'rename' }, { does: 'delete' }, { does: 'chmod' }) },
  { weight: 1, arbitrary: fc.constantFrom<Op>({ does: 'binary' }, { does: 'latin1' }) },
);

const options = fc
  .record({
    prefix: fc.constantFrom(
      [],
      ['--no-prefix'],
      ['--src-prefix=i/', '--dst-prefix=w/'],
      ['--src-prefix=c/', '--dst-prefix=w/'],
      ['--src-prefix=b/', '--dst-prefix=a/'],
      ['--src-prefix=old/', '--dst-prefix=new/'],
    ),
    context: fc.constantFrom('-U3', '-U3', '-U1', '-U5', '-U0'),
    binary: fc.constantFrom(['--binary'], ['--binary'], ['--binary', '--full-index'], []),
    rename: fc.constantFrom([], ['-M'], ['-C', '-C']),
    algorithm: fc.constantFrom([], ['--patience'], ['--minimal']),
  })
  .map(({ prefix, context, binary, rename, algorithm }) => [...prefix, context, ...binary, ...rename, ...algorithm]);

export const situation: fc.Arbitrary<Situation> = fc
  .record({
    files: fc.dictionary(fc.constantFrom(...NAMES.map(latin1)), file, {
      minKeys: 2,
      maxKeys: 4,
      noNullPrototype: true,
    }),
    edits: fc.array(fc.tuple(fc.nat(9), op), { minLength: 1, maxLength: 4 }),
    added: fc.boolean(),
    shift: fc.integer({ min: 1, max: 3 }),
    options,
    stripped: fc.boolean(),
  })
  .map(({ files, edits, added, shift, options: made, stripped }) => {
    const base: Tree = new Map(Object.entries(files));
    const paths = [...base.keys()];
    const ops = new Map<string, Op[]>();
    for (const [which, each] of edits) {
      const path = paths[which % paths.length] ?? '';
      ops.set(path, [...(ops.get(path) ?? []), each]);
    }
    const drift = mapFiles(base, (content) => shifted(content, shift));
    const edit = edited(base, ops);
    const both = edited(drift, ops, shift);
    if (added) for (const tree of [edit, both]) tree.set('new file', { mode: '100644', text: 'new\n' });
    const touched = [...ops.keys(), ...(added ? ['new file'] : [])];
    return { base, edit, drift, both, touched, options: made, stripped };
  })
  .filter(({ base, edit }) => JSON.stringify([...base]) !== JSON.stringify([...edit]));

const endOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** Lines that are nowhere else, before all others. Binary files stay. */
const shifted = (content: Content, shift: number): Content =>
  content.text.startsWith('\0')
    ? content
    : {
        ...content,
        text: Array.from({ length: shift }, (_, at) => `drift ${at}${endOf(content.text)}`).join('') + content.text,
      };

function mapFiles(tree: Tree, of: (content: Content) => Content): Map<string, Content> {
  return new Map([...tree].map(([path, content]) => [path, of(content)]));
}

function edited(tree: Tree, ops: ReadonlyMap<string, readonly Op[]>, shift = 0): Map<string, Content> {
  const made = new Map(tree);
  for (const [path, each] of ops) {
    let content = tree.get(path);
    // By what the file was: an edit may take the byte away that makes it binary, and it did not drift all the same.
    const drifted = content?.text.startsWith('\0') === true ? 0 : shift;
    let onto = path;
    for (const one of each) {
      if (content === undefined) break;
      if (one.does === 'delete') content = undefined;
      else if (one.does === 'rename') onto = `moved/${path}`;
      else content = changed(content, one, drifted);
    }
    made.delete(path);
    if (content !== undefined) made.set(onto, content);
  }
  return made;
}

function changed(content: Content, one: Op, shift: number): Content {
  const { mode, text } = content;
  const end = endOf(text);
  if (one.does === 'chmod') return { mode: mode === '100644' ? '100755' : '100644', text };
  if (one.does === 'binary') return text.startsWith('\0') ? { mode, text: `${text}\u0001` } : content;
  if (one.does === 'latin1') return { mode, text: `${text}gr\u00fc\u00df${end}` };
  if (!('at' in one)) return content;
  const lines = text.split(end);
  const at = shift + (one.at % Math.max(1, lines.length - shift));
  if (one.does === 'replace') lines[at] = `replaced ${one.at}`;
  else if (one.does === 'insert') lines.splice(at, 0, `inserted ${one.at}`);
  else lines.splice(at, 1);
  return { mode, text: lines.join(end) };
}
