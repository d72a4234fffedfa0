import { posix } from 'node:path';
import { packageScriptOf } from '../../domain/application/placeholder-script.ts';
import { prefixOf, programName } from '../command-prefix.ts';
import { type Family, familyOfProgram } from './languages.ts';

/** What a command runs, as far as it says: of which languages, or null where it does not tell, and below which folder (`` is the root). */
export type CommandScope = { readonly folder: string; readonly family: Family | null };

/** Programs that run another one in the environment they manage, by these words. */
const MANAGED: Readonly<Record<string, RegExp>> = {
  poetry: /^run$/,
  uv: /^run$/,
  pdm: /^run$/,
  hatch: /^run$/,
  pipenv: /^run$/,
  rye: /^run$/,
  bundle: /^exec$/,
};
const IN_FOLDER: readonly { readonly program: RegExp; readonly option: RegExp; readonly file?: true }[] = [
  { program: /^(?:go|make|gmake|ninja|cargo)$/, option: /^(?:-C|--directory)$/ },
  { program: /^npm$/, option: /^(?:-C|--prefix)$/ },
  { program: /^pnpm$/, option: /^(?:-C|--dir)$/ },
  { program: /^yarn$/, option: /^--cwd$/ },
  { program: /^gradlew?$/, option: /^(?:-p|--project-dir)$/ },
  { program: /^cargo$/, option: /^--manifest-path$/, file: true },
  { program: /^mvnw?$/, option: /^(?:-f|--file)$/, file: true },
];
const DEEPEST = 5;

type ScriptOf = (name: string) => string | undefined;

/**
 * What a declared command runs. Told by programs that are known to run one language; scripts, make and the like may run anything, and
 * stand there as such. `scriptOf` gives the text of a package script of the root by its name. Pure.
 */
export function scopesOfCommand(argv: readonly string[], scriptOf: ScriptOf = () => undefined): CommandScope[] {
  return scopesIn('', argv, scriptOf, 0);
}

function scopesIn(from: string, argv: readonly string[], scriptOf: ScriptOf, depth: number): CommandScope[] {
  const prefix = prefixOf(argv);
  const folder = prefix.folders.reduce(below, from);
  const [program = '', ...rest] = argv.slice(prefix.words);
  const name = programName(program);
  const untold: CommandScope[] = [{ folder, family: null }];
  if (depth > DEEPEST || name === '') return untold;
  if (MANAGED[name]?.test(rest[0] ?? '') === true)
    return scopesIn(
      folder,
      rest.slice(1).filter((word) => word !== '--'),
      scriptOf,
      depth + 1,
    );
  if (/^(?:sh|bash|dash|zsh|ash)$/.test(name))
    return /^-[a-z]*c$/.test(rest[0] ?? '') ? scopesOfText(folder, rest[1] ?? '', scriptOf, depth) : untold;
  const place = placeOf(folder, name, rest);
  if (/^python[\d.]*$/.test(name)) return [{ folder, family: rest[0] === '-m' ? 'python' : null }];
  if (name === 'node') return [{ folder, family: rest.includes('--test') ? 'javascript' : null }];
  const family = familyOfProgram(name) ?? null;
  const script = place === '' && family === 'javascript' ? packageScriptOf([program, ...rest]) : undefined;
  const text = script === undefined ? undefined : scriptOf(script);
  return text === undefined ? [{ folder: place, family }] : scopesOfText(place, text, scriptOf, depth);
}

/** A shell's line of plain commands, one after the other. Anything else in it does not tell what is run. */
function scopesOfText(folder: string, text: string, scriptOf: ScriptOf, depth: number): CommandScope[] {
  if (/[()|$`"'<>{}\\]/.test(text)) return [{ folder, family: null }];
  const scopes: CommandScope[] = [];
  let place = folder;
  for (const part of text.split(/&&|;|\n/)) {
    const words = part.trim().split(/\s+/);
    while (/^\w+=/.test(words[0] ?? '')) words.shift();
    if (words[0] === 'cd') place = below(place, words[1] ?? '');
    else if (words[0] !== undefined && words[0] !== '') scopes.push(...scopesIn(place, words, scriptOf, depth + 1));
  }
  return scopes;
}

function placeOf(folder: string, program: string, words: readonly string[]): string {
  for (const [at, word] of words.entries()) {
    const [option = '', given] = word.startsWith('--') ? word.split('=', 2) : [word];
    const rule = IN_FOLDER.find((each) => each.program.test(program) && each.option.test(option));
    if (rule === undefined) continue;
    const value = given ?? words[at + 1] ?? '';
    return below(folder, rule.file === undefined ? value : posix.dirname(value));
  }
  return folder;
}

/** A folder within another; one that leads out of the tree says nothing, so it may be anywhere. */
function below(folder: string, path: string): string {
  const joined = posix.normalize(posix.join(folder, path.replace(/^\{workspace\}\/?/, '')));
  if (path.startsWith('/') || joined.startsWith('..')) return '';
  return joined === '.' ? '' : joined.replace(/\/$/, '');
}
