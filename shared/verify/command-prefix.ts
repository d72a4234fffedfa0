/** What stands before the program that a command runs: how many words, and the folders that it changes into. */
export type Prefix = { readonly words: number; readonly folders: readonly string[] };

/** Programs that run another one, with the options that take a value, and how many words of their own come first. */
const WRAPPERS: Readonly<Record<string, { readonly valued: RegExp; readonly words: number }>> = {
  timeout: { valued: /^(?:-k|-s|--kill-after|--signal)$/, words: 1 },
  nice: { valued: /^-n$/, words: 0 },
  'xvfb-run': { valued: /^(?:-e|-f|-n|-p|-s|-w)$/, words: 0 },
  stdbuf: { valued: /^(?:-i|-o|-e)$/, words: 0 },
};

/** The last part of a program's path, without what Windows adds. */
export const programName = (program: string): string =>
  (program.split('/').at(-1) ?? program).replace(/\.(?:exe|cmd|bat)$/, '');

/** Reads `env -C folder NAME=value`, `timeout 60` and the like in front of a command. */
export function prefixOf(argv: readonly string[]): Prefix {
  const folders: string[] = [];
  let at = 0;
  for (;;) {
    const name = programName(argv[at] ?? '');
    const wrapper = WRAPPERS[name];
    if (name === 'env') at = behindEnv(argv, at + 1, folders);
    else if (wrapper !== undefined) at = behindWrapper(argv, at + 1, wrapper);
    else return { words: at, folders };
  }
}

function behindEnv(argv: readonly string[], from: number, folders: string[]): number {
  let at = from;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '-C' || word === '--chdir') folders.push(argv[++at] ?? '');
    else if (word.startsWith('--chdir=')) folders.push(word.slice('--chdir='.length));
    else if (word === '-u' || word === '--unset') at += 1;
    else if (!word.startsWith('-') && !/^\w+=/.test(word)) break;
  }
  return at;
}

function behindWrapper(
  argv: readonly string[],
  from: number,
  { valued, words }: { readonly valued: RegExp; readonly words: number },
): number {
  let at = from;
  for (; argv[at]?.startsWith('-') === true; at++) if (valued.test(argv[at] ?? '')) at += 1;
  return at + words;
}
