import { z } from 'zod';
import { type TemplateVariable, variablesOf } from '../domain/packet/fix-template.ts';
import type { AstGrepRule } from '../domain/packet/line-input.ts';
import type { RefusalDetail } from '../domain/refusal.ts';

const substring = z.object({ source: z.string(), startChar: z.int().optional(), endChar: z.int().optional() });

/** The keys of an ast-grep rule object (https://ast-grep.github.io/reference/rule.html), by what they hold. */
const RULE_KEYS = new Set(['inside', 'has', 'precedes', 'follows', 'not']);
const LIST_KEYS = new Set(['all', 'any']);
const OTHER_KEYS = new Set(['pattern', 'kind', 'regex', 'nthChild', 'range', 'matches']);
const RELATION_KEYS = new Set(['stopBy', 'field']);

/**
 * The cheap part of checking structural rules: ids are unique, a rule has the keys of a rule, and a replacement uses no
 * variable that nothing binds. Whether a pattern parses in its language is the station's to find out, in its sandbox.
 */
export function ruleFaults(rules: readonly AstGrepRule[]): RefusalDetail[] {
  const ids = new Set<string>();
  return rules.flatMap((rule, index) => {
    const pointer = `/line/rules/${index}`;
    const faults = shapeFaults(rule.rule, `${pointer}/rule`, false);
    if (ids.has(rule.id))
      faults.push({
        pointer: `${pointer}/id`,
        code: 'duplicate_rule',
        message: `The rule id "${rule.id}" is used twice. Choose another.`,
      });
    ids.add(rule.id);
    faults.push(
      ...[rule.constraints, rule.utils].flatMap((rules, at) =>
        namedFaults(rules, `${pointer}/${at === 0 ? 'constraints' : 'utils'}`),
      ),
    );
    faults.push(...transformFaults(rule, pointer), ...halfQuoteFaults(rule, pointer), ...unboundFaults(rule, pointer));
    return faults;
  });
}

const namedFaults = (rules: AstGrepRule['utils'] = {}, pointer: string): RefusalDetail[] =>
  Object.entries(rules).flatMap(([name, rule]) => shapeFaults(rule, `${pointer}/${name.slice(0, 64)}`, false));

/** The program of ast-grep has rewriters; its library passes a text on as it is instead. */
function transformFaults({ transform = {} }: AstGrepRule, pointer: string): RefusalDetail[] {
  return Object.entries(transform)
    .filter(([, value]) => (typeof value === 'string' ? /^\s*rewrite\b/.test(value) : Object.hasOwn(value, 'rewrite')))
    .map(([name]) => ({
      pointer: `${pointer}/transform/${name.slice(0, 64)}`,
      code: 'not_served',
      message:
        'Of transformations, replace, substring and convert are served. Write the rewriting as a rule of its own.',
    }));
}

/** A substring that takes one quote of a string and leaves the other, which the fix does not give back: no file parses after it. */
function halfQuoteFaults({ constraints = {}, transform = {}, fix }: AstGrepRule, pointer: string): RefusalDetail[] {
  return Object.entries(transform).flatMap(([name, value]) => {
    const cut = typeof value === 'string' ? undefined : substring.safeParse(value['substring']).data;
    if (cut === undefined || constraints[cut.source.replace(/^\$+/, '')]?.['kind'] !== 'string') return [];
    const { startChar = 0, endChar = 0 } = cut;
    const opens = startChar === 1 && endChar === 0;
    const closes = startChar === 0 && endChar === -1;
    const at = fix.indexOf(`$${name}`);
    const beside = opens ? fix[at - 1] : fix[at + name.length + 1];
    if ((!opens && !closes) || at < 0 || /["'`]/.test(beside ?? '')) return [];
    return [
      {
        pointer: `${pointer}/transform/${name.slice(0, 64)}`,
        code: 'half_a_string',
        message: `It takes ${opens ? 'the opening quote of a string and leaves the closing' : 'the closing quote of a string and leaves the opening'} one. Give both startChar: 1 and endChar: -1, or put the quote into the fix.`,
      },
    ];
  });
}

/** Variables that the fix uses in a way in which nothing binds them: ast-grep leaves them out without a word, or refuses the rule. */
function unboundFaults(
  { rule, constraints, utils, transform = {}, fix }: AstGrepRule,
  pointer: string,
): RefusalDetail[] {
  const shown = ({ kind, name }: TemplateVariable) => `${kind === 'multiple' ? '$$$' : '$'}${name}`;
  // A name that begins with an underscore matches without being kept.
  const kept = variablesOf(JSON.stringify([rule, constraints, utils])).filter(({ name }) => !name.startsWith('_'));
  const bound = new Set([...kept.map(shown), ...Object.keys(transform).map((name) => `$${name}`)]);
  const loose = variablesOf(fix)
    .map(shown)
    .find((variable) => !bound.has(variable));
  if (loose === undefined) return [];
  const name = loose.replace(/^\$+/, '');
  const other = [`$${name}`, `$$$${name}`].find((variable) => bound.has(variable));
  const why = other === undefined ? 'which no pattern of the rule binds' : `which the rule binds as ${other}`;
  return [
    {
      pointer: `${pointer}/fix`,
      code: 'unbound_variable',
      message: `The replacement uses ${loose.slice(0, 64)}, ${why}. Bind it, or take it out.`,
    },
  ];
}

function shapeFaults(rule: unknown, pointer: string, related: boolean): RefusalDetail[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    return [
      {
        pointer,
        code: 'not_a_rule',
        message: 'A rule is an object with pattern, kind, regex, inside, has, all, any, not and the like.',
      },
    ];
  const entries = Object.entries(rule);
  const faults: RefusalDetail[] = [];
  if (!entries.some(([key]) => RULE_KEYS.has(key) || LIST_KEYS.has(key) || OTHER_KEYS.has(key)))
    faults.push({
      pointer,
      code: 'not_a_rule',
      message: 'The rule matches nothing in particular. Give it a pattern or a kind.',
    });
  for (const [key, value] of entries) {
    const at = `${pointer}/${key.slice(0, 64)}`;
    if (RULE_KEYS.has(key)) faults.push(...shapeFaults(value, at, key !== 'not'));
    else if (LIST_KEYS.has(key)) {
      if (Array.isArray(value) && value.length > 0)
        faults.push(...value.flatMap((item: unknown, index) => shapeFaults(item, `${at}/${index}`, false)));
      else faults.push({ pointer: at, code: 'not_a_rule', message: `"${key}" takes a list of at least one rule.` });
    } else if (key === 'pattern') faults.push(...patternFaults(value, at));
    else if (key === 'kind' || key === 'regex' || key === 'matches') {
      if (typeof value !== 'string' || value.trim() === '')
        faults.push({ pointer: at, code: 'not_a_rule', message: `"${key}" takes a text.` });
    } else if (!OTHER_KEYS.has(key) && !(related && RELATION_KEYS.has(key))) {
      faults.push({
        pointer: at,
        code: 'not_a_rule',
        message: `A rule has no key "${key.slice(0, 64)}" here. Remove it or correct its name.`,
      });
    }
  }
  return faults;
}

function patternFaults(value: unknown, pointer: string): RefusalDetail[] {
  if (typeof value === 'string' && value.trim() !== '') return [];
  if (
    typeof value === 'object' &&
    value !== null &&
    'context' in value &&
    typeof value.context === 'string' &&
    value.context.trim() !== ''
  )
    return [];
  return [
    {
      pointer,
      code: 'not_a_rule',
      message: 'A pattern is code with meta variables like $NAME, or an object with a context.',
    },
  ];
}
