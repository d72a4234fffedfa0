import { z } from 'zod';
import { budget } from '../cost/budget.ts';
import { branch } from '../packet/branch.ts';
import { glob } from '../packet/schema.ts';
import { checkEnvironment } from './check-environment.ts';

/**
 * What an application declares about itself when it is registered, by people: its repositories, how it is checked, which
 * files are tests. Checks and holdouts are never read from a changed manifest. Pinned by digest into each request.
 */
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/);
const command = z.tuple([z.string().min(1).max(4_096)], z.string().max(4_096));

const repository = z.strictObject({
  name,
  codeHost: z.enum(['local']),
  /** For the local code host: absolute path of a bare repository. */
  location: z.string().min(1).max(2_048),
  defaultBranch: branch.default('main'),
});

export const CHECK_KINDS = ['format', 'lint', 'unit', 'types', 'build', 'migration', 'smoke'] as const;

const check = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  kind: z.enum(CHECK_KINDS),
  command,
  /** Reporter file the command writes outside the workspace; `{report}` in the command is replaced by its path. Counts come from it and may not fall. */
  report: z.enum(['none', 'junit', 'tap', 'ctrf']).default('none'),
  timeoutSeconds: z.int().min(1).max(3_600).default(120),
});

/** A holdout: drives the program from a second sandbox, so that the changed code can't read it. */
export const scenario = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  /** Starts the program in the first sandbox; it must listen on the unix socket named by FACTORY_SOCKET. */
  start: command,
  /** JavaScript (ES module) run in the second sandbox with FACTORY_SOCKET set; exit code 0 is a pass. */
  script: z.string().min(1).max(65_536),
  timeoutSeconds: z.int().min(1).max(600).default(30),
});

/**
 * Where the line `azure-deployment` deploys to, and from which files. A packet names an environment and nothing of it, so that no
 * packet reaches another subscription, stack or folder than people declared.
 */
const environment = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9]{0,15}$/),
  /** Repository with the compiled files; what is deployed is the tip of its default branch. */
  repository: name,
  /** Its folder with the compiled `template.json` and `parameters.json`, at a path without dots at the beginning. */
  directory: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/),
  subscription: z.guid().lowercase(),
  /** Name of the deployment stack, at the scope of the subscription. */
  stack: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/),
  location: z.string().regex(/^[a-z0-9]{2,40}$/),
});

export const applicationDeclaration = z.strictObject({
  apiVersion: z.literal('factory/v1'),
  kind: z.literal('Application'),
  name,
  repositories: z.array(repository).min(1).max(100),
  checks: z.array(check).max(50).default([]),
  /** Test files beside those that names and folders show (`test-files.ts`). */
  testFiles: z.array(glob).max(100).default([]),
  /** Files that look like tests and are none: the only way to open what is closed by its name. */
  notTestFiles: z.array(glob).max(100).optional(),
  /** A change here is of high risk. */
  protectedPaths: z.array(glob).max(100).default([]),
  /** Production data, its migrations, keys: a change here is of critical risk. */
  criticalPaths: z.array(glob).max(100).optional(),
  /** As people hand them in. They are taken out before a declaration is kept: see `holdouts.ts`. */
  scenarios: z.array(scenario).max(50).default([]),
  /**
   * That the application has hidden scenarios: all that a kept declaration says of them. Handed in without `scenarios`, it keeps those that are there.
   */
  holdouts: z.literal(true).optional(),
  environments: z.array(environment).max(20).optional(),
  /** What it may spend in a month. Without one, what it costs is counted and nothing is stopped. */
  budget: budget.optional(),
  /** Command that prepares a checkout for its checks inside the offline sandbox, e.g. `npm ci --offline`. */
  prepare: command.optional(),
  /** What its checks run with. Without one: Node, and what the machine has below /usr. */
  environment: checkEnvironment.optional(),
  sandbox: z.strictObject({ allowProcess: z.boolean().default(false) }).default({ allowProcess: false }),
});

export type ApplicationDeclaration = z.infer<typeof applicationDeclaration>;
export type Check = ApplicationDeclaration['checks'][number];
export type Environment = z.infer<typeof environment>;
export type Scenario = ApplicationDeclaration['scenarios'][number];
