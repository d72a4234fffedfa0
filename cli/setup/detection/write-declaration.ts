import { parse } from 'yaml';
import { z } from 'zod';
import { type ApplicationDeclaration, applicationDeclaration } from '../../../shared/domain/application/declaration.ts';
import { CommandFailure } from '../../failure.ts';
import type { Detected } from './detect.ts';

/** The application that a declaration is made for. */
export type Subject = {
  readonly name: string;
  /** Of the repository's git directory on this machine. */
  readonly location: string;
  readonly defaultBranch: string;
  /** The branch or commit that was looked at. */
  readonly ref: string;
};

/** A declaration that a person can edit: YAML with a comment a field, and what was not found at its end. */
export function declarationText(subject: Subject, detected: Detected): string {
  const { name, location, defaultBranch, ref } = subject;
  return [
    `# Made from what ${oneLine(ref)} holds; nothing of the repository was run. Correct it, and hand it in:`,
    '#   factory register <this file>',
    'apiVersion: factory/v1',
    'kind: Application',
    '# What packets call it in scope.repository.',
    `name: ${flow(name)}`,
    'repositories:',
    `  - name: ${flow(name)}`,
    '    codeHost: local',
    `    location: ${flow(location)}`,
    '    # The branch that changes are for, unless a packet names another.',
    `    defaultBranch: ${flow(defaultBranch)}`,
    ...environmentLines(detected),
    ...prepareLines(detected),
    ...checkLines(detected),
    '# Test files beyond those that are known by their names; no change touches them unless its packet says so.',
    'testFiles: []',
    '# Files of high risk, such as migrations and workflows: [".github/**"].',
    'protectedPaths: []',
    ...(detected.missing.length > 0
      ? ['# Not found, or left out:', ...detected.missing.map((each) => `# - ${oneLine(each)}`)]
      : []),
    '',
  ].join('\n');
}

/** The declaration of a text that this file made. Throws a CommandFailure where a name or place does not fit the schema. */
export function detectedDeclaration(subject: Subject, detected: Detected): ApplicationDeclaration {
  const declared = applicationDeclaration.safeParse(parse(declarationText(subject, detected)));
  if (declared.success) return declared.data;
  throw new CommandFailure(
    `No declaration can be made for ${subject.location}:\n${z.prettifyError(declared.error)}\nWrite one, and hand it in with --declaration.`,
  );
}

function environmentLines({ toolchains, variables, setup }: Detected): string[] {
  if (toolchains.length === 0) return [];
  return [
    '# What checks run with: tools of the worker\'s machine, e.g. { name: python, version: "3.11" }.',
    'environment:',
    `  toolchain: [${toolchains.join(', ')}]`,
    ...(Object.keys(setup).length > 0
      ? ['  # Packages that are fetched before anything runs.', `  setup: ${flow(setup)}`]
      : []),
    ...(Object.keys(variables).length > 0
      ? ['  # {workspace} is the checkout.', `  variables: ${flow(variables)}`]
      : []),
  ];
}

const prepareLines = ({ prepare }: Detected): string[] =>
  prepare === undefined
    ? []
    : ['# Run in every checkout before its check, without a network.', `prepare: ${flow(prepare)}`];

function checkLines({ checks }: Detected): string[] {
  const head = '# Run on the base and on the change. The command writes its report to {report}.';
  if (checks.length === 0) return [head, 'checks: []'];
  return [
    head,
    'checks:',
    ...checks.flatMap(({ because, name, kind, command, report, timeoutSeconds }) => [
      `  # ${oneLine(because)}`,
      `  - name: ${name}`,
      `    kind: ${kind}`,
      `    command: ${flow(command)}`,
      `    report: ${report}`,
      `    timeoutSeconds: ${timeoutSeconds}`,
    ]),
  ];
}

/** JSON is YAML (YAML 1.2 §1.3). */
const flow = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(flow).join(', ')}]` : JSON.stringify(value);

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').slice(0, 400);
