import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { isBase64 } from '../patch/base64.ts';

/** Languages of rules, as this program names them. */
const RULE_LANGUAGES = ['javascript', 'typescript', 'tsx', 'html', 'css'] as const;
export type RuleLanguage = (typeof RULE_LANGUAGES)[number];

/** What each product line needs beside the common fields. `name` picks the line. */
const patch = z
  .strictObject({
    name: z.literal('patch'),
    /** The change, as a unified diff or a series of them, as git writes it. */
    patch: z.string().min(1).max(LIMITS.packet.patchBytes).optional(),
    /** The same as bytes (base64, RFC 4648 §4), where text would lose some: other encodings than UTF-8, line ends in YAML. */
    patchBase64: z
      .string()
      .min(1)
      .max(Math.ceil(LIMITS.packet.patchBytes / 3) * 4)
      .optional(),
  })
  .superRefine(({ patch: text, patchBase64 }, context) => {
    const fault = (field: string, code: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], params: { code }, message });
    if (text === undefined && patchBase64 === undefined)
      fault('patch', 'missing', 'The field is missing. Give the patch as a text, or its bytes as patchBase64.');
    if (text !== undefined && patchBase64 !== undefined)
      fault('patchBase64', 'given_twice', 'The patch is given twice, as patch and as patchBase64. Keep one.');
    if (patchBase64 !== undefined && !isBase64(patchBase64))
      fault(
        'patchBase64',
        'wrong_format',
        'The text is not base64 (RFC 4648 §4, with padding, on one line). Encode the bytes again.',
      );
  });

/** Fields of an ast-grep rule file that this line does not serve: refused by name, as whoever wrote them expects something of them. */
const notServed = (why: string) =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { message: why, params: { code: 'not_served' } });
const forReaders = notServed(
  'It is for readers of a linter. Remove it; the packet says what the rule is for in "intent".',
);
const forPaths = notServed('Remove it; the packet says which files in scope.allowedPaths and scope.deniedPaths.');

const astGrepRule = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** A language by its name or one of the aliases that ast-grep knows. */
  language: z.enum([...RULE_LANGUAGES, 'JavaScript', 'TypeScript', 'Tsx', 'Html', 'Css', 'js', 'jsx', 'ts'], {
    error:
      'Rules for other languages are not served: make the change with the tool that knows them (ast-grep itself, say), and hand in "git diff" under the line "patch".',
  }),
  /** An ast-grep rule object (https://ast-grep.github.io/reference/rule.html). */
  rule: z.record(z.string(), z.unknown()),
  /** What the captured nodes have to be, by the name of their meta variable. */
  constraints: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  /** Rules that `matches` refers to, by name. */
  utils: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  /** New meta variables made of captured ones: `replace`, `substring` and `convert` of ast-grep. */
  transform: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.unknown())])).optional(),
  /** Replacement template with meta variables. */
  fix: z.string().max(LIMITS.packet.textLength),
  rewriters: notServed(
    'Rewriters run in the command-line program of ast-grep only. Write their rewriting as rules of their own.',
  ),
  files: forPaths,
  ignores: forPaths,
  severity: forReaders,
  message: forReaders,
  note: forReaders,
  url: forReaders,
  labels: forReaders,
  metadata: forReaders,
});

const apiMigration = z.strictObject({
  name: z.literal('api-migration'),
  rules: z.array(astGrepRule).min(1).max(50),
});

export const MAY_MOVE = ['none', 'compatible', 'needed', 'any'] as const;
export const COPIES = ['all', 'direct'] as const;
export type Copies = (typeof COPIES)[number];

const dependencyUpdate = z.strictObject({
  name: z.literal('dependency-update'),
  ecosystem: z.literal('npm', {
    error:
      'Packages of other ecosystems are not moved by this line: change the requirement and its lock file with their own tool, and hand in "git diff" under the line "patch", which runs the checks on it.',
  }),
  /** A name of the npm registry; never one that a command line could take for an option. */
  package: z
    .string()
    .max(214)
    .regex(/^(@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/),
  /** Semver range that the locked versions must be inside of afterwards, e.g. `>=1.4.2 <2`. */
  range: z.string().min(1).max(200),
  /**
   * What may move beside the package: `none`; `compatible` (when absent), what the update needs, by steps that do not break by
   * their version; `needed`, the same by any step; `any`, others as well.
   */
  mayMove: z.enum(MAY_MOVE).optional(),
  /**
   * Which copies have to come into the range: `all` (when absent), whoever asks for them; `direct`, those that the repository's own
   * manifests ask for, while copies outside that other packages hold stay and are named.
   */
  copies: z.enum(COPIES).optional(),
  advisory: z.string().max(LIMITS.packet.textLength).optional(),
});

/** Kinds of change in a what-if that a deployment brings only when its packet allows them. */
const ALLOWED_CHANGES = ['Delete', 'Unsupported'] as const;

const azureDeployment = z.strictObject({
  name: z.literal('azure-deployment'),
  /** Name of an environment that the application declares. Where that is, the declaration says. */
  environment: z.string().regex(/^[a-z][a-z0-9]{0,15}$/),
  allow: z.array(z.enum(ALLOWED_CHANGES)).max(ALLOWED_CHANGES.length).default([]),
});

/** The plane's own measuring lines (`bench`, `bench-…`) need nothing beside the common fields. */
const bench = z.strictObject({ name: z.templateLiteral(['bench', z.string().regex(/^(?:-[a-z0-9-]{1,50})?$/)]) });

/** The product lines that have an input of their own. Intake refuses any other by name, with the list of the known ones. */
export const LINE_NAMES = ['patch', 'api-migration', 'dependency-update', 'azure-deployment'] as const;
export type LineName = (typeof LINE_NAMES)[number];

export const lineInput = z.union([
  z.discriminatedUnion('name', [patch, apiMigration, dependencyUpdate, azureDeployment]),
  bench,
]);
export type LineInput = z.infer<typeof lineInput>;
export type AstGrepRule = z.infer<typeof astGrepRule>;

const aliases: Readonly<Record<string, RuleLanguage>> = { js: 'javascript', jsx: 'javascript', ts: 'typescript' };

/** The language of a rule by its own name. */
export function languageOfRule({ language }: AstGrepRule): RuleLanguage {
  const name = language.toLowerCase();
  return aliases[name] ?? RULE_LANGUAGES.find((known) => known === name) ?? 'javascript';
}
