import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { ACTIONS } from './actions.ts';
import { cedar, PLATFORM_POLICIES, POLICY_SCHEMA } from './cedar.ts';

/** A rule of a bundle: its text, and what it says of itself. */
export type Rule = {
  readonly id: string;
  readonly file: string;
  readonly text: string;
  readonly reason: string;
  /** Actions its scope names, or `any` when it names none or a group of them. */
  readonly actions: readonly string[] | 'any';
};
export type RuleFault = { readonly file: string; readonly code: string; readonly message: string };

const MAXIMUM_TEXT = 64 * 1024;
const MAXIMUM_RULES = 200;
const ID = /^[a-z][a-z0-9-]{2,63}$/;

/**
 * Splits policy files into rules keyed by their `@id`, and says what is wrong with them: text that does not parse, a rule
 * without `@id` or `@reason`, an id used twice or reserved for the platform, a template, anything the schema refuses (strict
 * validation, so a misspelt attribute is a fault here and not an error at the decision). Never throws for a rule's sake.
 */
export function readRules(files: Readonly<Record<string, string>>): { rules: Rule[]; faults: RuleFault[] } {
  const rules: Rule[] = [];
  const faults: RuleFault[] = [];
  for (const [file, text] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
    readFile(file, text, rules, faults);
  if (rules.length > MAXIMUM_RULES)
    faults.push({
      file: '',
      code: 'too_many_rules',
      message: `There are ${rules.length} rules; the limit is ${MAXIMUM_RULES}. Merge some.`,
    });
  const seen = new Map<string, string>(platformRules.map((rule) => [rule.id, rule.file]));
  for (const rule of rules) {
    const other = seen.get(rule.id);
    if (rule.id.startsWith('platform-'))
      faults.push({
        file: rule.file,
        code: 'reserved_id',
        message: `The id "${rule.id}" begins with "platform-", which is the platform's own. Choose another.`,
      });
    else if (other !== undefined)
      faults.push({
        file: rule.file,
        code: 'duplicate_id',
        message: `The id "${rule.id}" is also used in ${other}. Ids name rules in recorded decisions: choose another.`,
      });
    seen.set(rule.id, rule.file);
  }
  if (faults.length === 0) faults.push(...schemaFaults(rules));
  return { rules, faults };
}

function readFile(file: string, text: string, rules: Rule[], faults: RuleFault[]): void {
  if (text.length > MAXIMUM_TEXT) {
    faults.push({
      file,
      code: 'too_large',
      message: `The file has ${text.length} characters; the limit is ${MAXIMUM_TEXT}. Split it.`,
    });
    return;
  }
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') {
    for (const error of parts.errors)
      faults.push({
        file,
        code: 'syntax',
        message: `The file is not Cedar: ${error.message}. Nothing of it can be installed.`,
      });
    return;
  }
  if (parts.policy_templates.length > 0)
    faults.push({ file, code: 'template', message: 'Policy templates are not supported: write the rule out.' });
  for (const policy of parts.policies) {
    const parsed = cedar.policyToJson(policy);
    if (parsed.type === 'failure') continue;
    const { id = '', reason = '' } = parsed.json.annotations ?? {};
    if (!ID.test(id))
      faults.push({
        file,
        code: 'missing_id',
        message: `A rule has ${id === '' ? 'no @id' : `the @id "${id.slice(0, 64)}"`}: give it one of 3 to 64 lower-case letters, digits and hyphens.`,
      });
    else if (reason.trim() === '')
      faults.push({
        file,
        code: 'missing_reason',
        message: `Rule "${id}" has no @reason: say in one sentence why it is there; people who are refused read it.`,
      });
    else rules.push({ id, file, text: policy, reason, actions: actionsOf(parsed.json.action) });
  }
}

/** The actions that a rule's scope admits: to any other it can't apply, so it need not be asked. */
function actionsOf(scope: Cedar.PolicyJson['action']): readonly string[] | 'any' {
  const named =
    scope.op === '==' && 'entity' in scope
      ? [scope.entity]
      : scope.op === 'in' && 'entities' in scope
        ? scope.entities
        : [];
  const ids = named.map(idOf);
  // A name that is no action of ours may be a group of them.
  return ids.length > 0 && ids.every((id) => Object.hasOwn(ACTIONS, id)) ? ids : 'any';
}

const idOf = (entity: Cedar.EntityUidJson): string => ('__entity' in entity ? entity.__entity.id : entity.id);

function schemaFaults(rules: readonly Rule[]): RuleFault[] {
  const answer = cedar.validate({
    schema: POLICY_SCHEMA,
    policies: { staticPolicies: textById([...platformRules, ...rules]) },
  });
  if (answer.type === 'failure')
    return answer.errors.map((error) => ({ file: '', code: 'invalid', message: error.message }));
  const fileOf = new Map([...platformRules, ...rules].map((rule) => [rule.id, rule.file]));
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ policyId, error }) => ({
    file: fileOf.get(policyId) ?? '',
    code: 'schema',
    message: `Rule "${policyId}": ${error.message}.${error.help ? ` ${error.help}.` : ''}`,
  }));
}

export const textById = (rules: readonly Rule[]): Record<string, string> =>
  Object.fromEntries(rules.map((rule) => [rule.id, rule.text]));

/** The platform's own rules. They are read once; one that does not hold up stops the process at its start. */
export const platformRules: readonly Rule[] = readPlatformRules();

function readPlatformRules(): Rule[] {
  const rules: Rule[] = [];
  const faults: RuleFault[] = [];
  readFile('platform.cedar', PLATFORM_POLICIES, rules, faults);
  if (faults.length > 0)
    throw new Error(`The platform's own policies are faulty: ${faults.map((fault) => fault.message).join(' ')}`);
  return rules;
}
