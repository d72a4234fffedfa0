/** What `npm init` writes as the test script, and the forms older versions and other tools wrote. */
const PLACEHOLDER = /\berror: no tests? specified\b/i;

/** One command of a script that can't fail, or only says something. */
const IDLE = /^(?::|true|exit(?:\s+0)?|(?:echo|printf)\b[^|<>`$()]*|node\s+-e\s+(?:""|''|0))$/;

/**
 * Whether a package script stands where tests would and runs none: npm's placeholder, nothing at all, or commands that can only
 * succeed (`true`, `:`, `exit 0`, `echo …`). Such a script is never declared as a check, and a check that runs one counts as nothing.
 */
export function isPlaceholderScript(script: string): boolean {
  return PLACEHOLDER.test(script) || isIdleScript(script);
}

/** Whether a shell line holds nothing but commands that can only succeed. */
function isIdleScript(script: string): boolean {
  return script
    .split(/&&|\|\||;|\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('#'))
    .every((part) => IDLE.test(part));
}

const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh', 'ash']);
const nameOf = (program: string): string => program.split('/').at(-1) ?? program;

/**
 * Whether a declared command can't say anything about a tree: it is trivially true, or runs a package script that is.
 * `scriptOf` gives the text of a package script by its name.
 */
export function isIdleCommand(
  argv: readonly string[],
  scriptOf: (name: string) => string | undefined = () => undefined,
): boolean {
  const [program = '', ...rest] = argv;
  const name = nameOf(program);
  if (name === 'true' || name === 'echo' || name === 'printf' || name === ':') return true;
  if (SHELLS.has(name) && /^-[a-z]*c$/.test(rest[0] ?? '')) return isIdleScript(rest[1] ?? '');
  const script = packageScriptOf(argv);
  const text = script === undefined ? undefined : scriptOf(script);
  return text !== undefined && isPlaceholderScript(text);
}

/** The name of the package script that a command runs (`npm test`, `npm run x`, `yarn x`, `pnpm run x`), if it runs one. */
export function packageScriptOf(argv: readonly string[]): string | undefined {
  const [program = '', ...rest] = argv;
  const manager = nameOf(program);
  if (!['npm', 'yarn', 'pnpm', 'bun'].includes(manager)) return undefined;
  const words = rest.filter((word) => !word.startsWith('-'));
  const [verb = '', named] = words;
  if (verb === 'run' || verb === 'run-script') return named;
  if (verb === 'test' || verb === 't' || verb === 'tst') return 'test';
  return manager === 'yarn' || manager === 'pnpm' ? verb || undefined : undefined;
}
