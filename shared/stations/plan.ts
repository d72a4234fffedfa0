import { z } from 'zod';
import { LINE_NAMES } from '../domain/packet/line-input.ts';

/**
 * The plan of a change, as an artifact (`application/json`). Every entry was read from the repository; what could not be
 * computed says so with the reason. Lists are bounded, and `counts` has the whole numbers where a list was cut.
 */
const path = z.string().min(1).max(4_096);
const text = z.string().min(1).max(1_000);
const unknown = z.strictObject({ unknown: text });
const known = <T extends z.ZodType>(schema: T) => z.union([schema, unknown]);
const paths = z.array(path).max(200);

export const PLAN_LIST = 200;

export const planSchema = z.strictObject({
  schemaVersion: z.literal(1),
  line: z.enum(LINE_NAMES),
  base: z.strictObject({ commit: z.string(), tree: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
  /** Files that will change, with what was found in each. */
  changes: z.array(z.strictObject({ path, why: text })).max(PLAN_LIST),
  /** Names exported by changed files that other files import. */
  riskyInterfaces: known(
    z
      .array(z.strictObject({ path, exports: z.array(z.string().max(200)).max(50), importedBy: z.int().min(1) }))
      .max(PLAN_LIST),
  ),
  /** Files that import a changed file, through any number of others. */
  importers: known(paths),
  tests: z.strictObject({
    /** Test files that the change itself brings or edits: they go first. */
    moveFirst: paths,
    /** Changed file → tests that reach it through imports. */
    mapping: known(z.array(z.strictObject({ path, tests: paths })).max(PLAN_LIST)),
    /** Changed files that no test reaches. */
    untested: known(paths),
  }),
  /** Dependency manifests and lockfiles that change. */
  manifests: paths,
  /** What a person still has to decide, each from a rule that the change meets. */
  decisions: z.array(text).max(50),
  context: z.strictObject({
    found: paths,
    notFound: z.array(z.strictObject({ what: text, reason: text })).max(100),
  }),
  counts: z.strictObject({ changes: z.int().min(0), importers: known(z.int().min(0)) }),
});

export type Plan = z.infer<typeof planSchema>;
