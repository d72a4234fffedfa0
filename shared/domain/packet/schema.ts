import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { RISK_TIERS } from '../risk/tier.ts';
import { ref } from './branch.ts';
import { globFault } from './glob.ts';
import { lineInput } from './line-input.ts';

/**
 * The task packet: the handoff contract and the factory job as one schema. It is the root of the digest chain
 * (packet → plan → approval → job → effect → evidence): its digest is that of the canonical JSON of what was parsed.
 * Unknown keys are refused everywhere.
 */
const text = z.string().trim().min(1).max(LIMITS.packet.textLength);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(LIMITS.packet.listItems);
/** A path glob inside the repository (`glob.ts` says which). */
export const glob = z
  .string()
  .max(LIMITS.packet.globLength)
  .superRefine((value, context) => {
    const fault = globFault(value);
    if (fault !== undefined)
      context.addIssue({ code: 'custom', params: { code: 'invalid_glob' }, message: `The glob ${fault}.` });
  });
const argument = z
  .string()
  .max(4_096)
  .refine((value) => !value.includes('\0'), 'An argument holds no NUL. Remove it.');
/** A command as an argument vector: never a shell line. */
const command = z.tuple([argument.min(1)], argument);

const acceptance = z.strictObject({ given: text, when: text, then: text });

const source = z.strictObject({
  kind: z.enum([
    'ticket',
    'pull_request',
    'alert',
    'customer_report',
    'advisory',
    'migration_spec',
    'schedule',
    'person',
  ]),
  reference: text.optional(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional(),
});

const scope = z.strictObject({
  /** Name of a repository of the application. */
  repository: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/),
  /** Branch that the change is for, or the commit it is made on; the repository's default branch when absent. */
  ref: ref.optional(),
  allowedPaths: list(glob).min(1),
  deniedPaths: list(glob).default([]),
  services: list(text).default([]),
  customers: list(text).default([]),
  systems: list(text).default([]),
});

const tools = z.strictObject({
  mcp: list(text).default([]),
  cli: list(text).default([]),
  readOnly: list(text).default([]),
  mutating: list(text).default([]),
  denied: list(text).default([]),
});

const boundary = z.strictObject({
  allowedCommands: list(command).default([]),
  network: z.enum(['none', 'registry']).default('none'),
  services: list(text).default([]),
  secrets: z.literal('none').default('none'),
});

const reproduction = z.union([
  z.strictObject({
    /** Fails on the base and passes after the change. */
    command,
    expect: z.enum(['fails_before_passes_after']).default('fails_before_passes_after'),
  }),
  /** A declared reason why there is none. */
  z.strictObject({ none: text }),
]);

const validation = z.strictObject({
  /** Names of checks the application declares; every declared check runs when absent. */
  checks: list(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)).default([]),
  scenarios: list(text).default([]),
  commands: list(command).default([]),
  /** Globs of test files that this change may touch; listed at the gate. */
  testsMayChange: list(glob).default([]),
});

const mustNotChange = z.strictObject({
  /** Paths whose bytes and modes stay. */
  paths: list(glob).default([]),
  /** Packages whose locked versions stay, by name. */
  packages: list(z.string().min(1).max(214)).default([]),
  /** Whether what the package offers to others (exports, types, commands) stays. */
  publicApi: z.boolean().default(false),
});

export const NO_OP_CODES = [
  'already_true',
  'could_not_reproduce',
  'contradicts_existing_behaviour',
  'not_applicable',
  'missing_context',
] as const;
export type NoOpCode = (typeof NO_OP_CODES)[number];

export const OUTPUT_FORMATS = ['pull_request', 'patch', 'note', 'deployment'] as const;

export const packetSchema = z.strictObject({
  apiVersion: z.literal('factory/v1'),
  kind: z.literal('TaskPacket'),
  /** One observable behaviour. */
  goal: text,
  intent: text,
  source,
  scope,
  nonGoals: list(text).default([]),
  /** What must be as it was afterwards, measured by the verifier. A change that crosses it is `out_of_scope`. */
  mustNotChange: mustNotChange.optional(),
  acceptance: list(acceptance).default([]),
  edgeCases: list(text).default([]),
  context: z
    .strictObject({
      files: list(glob).default([]),
      tests: list(glob).default([]),
      docs: list(text).default([]),
      decisions: list(text).default([]),
      failureModes: list(text).default([]),
      links: list(text).default([]),
    })
    .default({ files: [], tests: [], docs: [], decisions: [], failureModes: [], links: [] }),
  tools: tools.default({ mcp: [], cli: [], readOnly: [], mutating: [], denied: [] }),
  boundary: boundary.default({ allowedCommands: [], network: 'none', services: [], secrets: 'none' }),
  reproduction: reproduction.optional(),
  validation: validation.default({ checks: [], scenarios: [], commands: [], testsMayChange: [] }),
  noOpRules: list(z.enum(NO_OP_CODES)).default([...NO_OP_CODES.filter((code) => code !== 'missing_context')]),
  evidenceRequired: list(
    z.enum([
      'logs',
      'screenshots',
      'traces',
      'test_output',
      'before_after',
      'failed_reproduction',
      'pull_request',
      'diff',
    ]),
  ).default([]),
  stopCondition: text.optional(),
  /** How to take the change back. */
  rollback: text.optional(),
  risk: z
    .strictObject({
      /** The packet may raise the risk, never lower it. */
      atLeast: z.enum(RISK_TIERS).default('low'),
      /** Security rules that the change asks an exception from; any makes the risk critical. */
      securityExceptions: list(text).optional(),
    })
    .optional(),
  output: z.strictObject({ format: z.enum(OUTPUT_FORMATS) }).default({ format: 'pull_request' }),
  deadline: z.iso.datetime().optional(),
  priority: z.int().min(0).max(9).default(5),
  line: lineInput,
});

export type Packet = z.infer<typeof packetSchema>;
