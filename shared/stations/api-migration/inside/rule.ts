/** Runs inside the sandbox: the packet's rules as ast-grep takes them. The rules are a stranger's input to a native library. */
import type { NapiConfig, SgNode } from '@ast-grep/napi';
import { type Grammar, marksOf, rootOf } from '../../work/parsers/inside/grammars.ts';

type RuleObject = Readonly<Record<string, unknown>>;
export type Rule = {
  readonly id: string;
  /** The language's own name, and the grammars of the files that it looks at. */
  readonly language: Grammar;
  readonly rule: RuleObject;
  readonly constraints?: Readonly<Record<string, RuleObject>>;
  readonly utils?: Readonly<Record<string, RuleObject>>;
  readonly transform?: Readonly<Record<string, unknown>>;
  readonly fix: string;
};

const scripts: readonly Grammar[] = ['javascript', 'typescript', 'tsx'];

function configOf({ rule, constraints, utils, transform }: Rule): NapiConfig {
  return {
    rule,
    ...(constraints === undefined ? {} : { constraints }),
    ...(utils === undefined ? {} : { utils }),
    ...(transform === undefined ? {} : { transform }),
  } as NapiConfig;
}

/** Nodes of a text that a rule matches, outer ones before inner ones. */
export const find = (grammar: Grammar, text: string, rule: Rule): SgNode[] =>
  rootOf(grammar, text).findAll(configOf(rule));

/** What is wrong with a rule, tried on an empty text. ast-grep takes a pattern that breaks off in the middle and matches nothing. */
export function ruleFault(rule: Rule, grammar: Grammar = rule.language): string | undefined {
  try {
    find(grammar, '', rule);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { pattern } = rule.rule;
  const broken = scripts.includes(grammar) && typeof pattern === 'string' && marksOf(grammar, pattern).length > 0;
  return broken ? `the pattern ${JSON.stringify(pattern).slice(0, 200)} is not whole ${grammar}` : undefined;
}
