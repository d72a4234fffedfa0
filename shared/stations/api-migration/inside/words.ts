/**
 * Runs inside the sandbox: words without which a rule can't match. A file whose text lacks them is proved to hold no match, also
 * where it does not parse, is too large to, or is of a kind that is not read.
 */
type RuleObject = Readonly<Record<string, unknown>>;

/** Alternatives: of one of them, every word occurs in whatever the rule matches or in the text around it. */
type Alternatives = readonly (readonly string[])[];

const ANYTHING: Alternatives = [[]];
const ALTERNATIVES = 64;
const DEPTH = 20;
const LISTS: readonly string[] = ['all', 'any'];
const RELATIONS: readonly string[] = ['inside', 'has', 'precedes', 'follows'];

/** Whether a rule may match somewhere in a text, by its words alone: false is a proof, true is not. */
export function wordTest(
  rule: RuleObject,
  utils: Readonly<Record<string, RuleObject>> = {},
): (text: string) => boolean {
  const alternatives = alternativesOf(rule, utils, 0);
  return (text) => alternatives.some((words) => words.every((word) => text.includes(word)));
}

function alternativesOf(rule: RuleObject, utils: Readonly<Record<string, RuleObject>>, depth: number): Alternatives {
  if (depth > DEPTH) return ANYTHING;
  const of = (value: unknown): Alternatives =>
    typeof value === 'object' && value !== null ? alternativesOf(value as RuleObject, utils, depth + 1) : ANYTHING;
  return Object.entries(rule).reduce<Alternatives>((found, [key, value]) => {
    if (key === 'pattern') return both(found, patternWords(value));
    if (RELATIONS.includes(key)) return both(found, of(value));
    if (LISTS.includes(key) && Array.isArray(value))
      return key === 'all'
        ? value.reduce<Alternatives>((all, item) => both(all, of(item)), found)
        : both(found, bounded(value.flatMap(of)));
    if (key === 'matches' && typeof value === 'string' && Object.hasOwn(utils, value))
      return both(found, of(utils[value]));
    return found;
  }, ANYTHING);
}

const both = (one: Alternatives, other: Alternatives): Alternatives =>
  bounded(one.flatMap((words) => other.map((more) => [...words, ...more])));

const bounded = (alternatives: Alternatives): Alternatives =>
  alternatives.length > ALTERNATIVES || alternatives.length === 0 ? ANYTHING : alternatives;

/** Comments of a pattern are not matched, and a pattern with a context matches a part of it alone. */
function patternWords(pattern: unknown): Alternatives {
  if (typeof pattern !== 'string' || /\/\/|\/\*|<!--|\\/.test(pattern)) return ANYTHING;
  return [pattern.replace(/\${1,3}[A-Z_][A-Z0-9_]*/g, ' ').match(/[\p{ID_Start}_][\p{ID_Continue}]*/gu) ?? []];
}
