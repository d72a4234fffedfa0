import { z } from 'zod';

/** What a what-if answers (Microsoft.Resources/deployments whatIf), as far as a plan keeps it. */
const change = z.looseObject({ resourceId: z.string(), changeType: z.string() });
/** What a what-if could not tell, such as a nested template that it had to skip. */
const diagnostic = z.object({ level: z.string(), code: z.string(), message: z.string(), target: z.string().nullish() });
const whatIfResult = z.looseObject({
  status: z.string(),
  error: z.unknown().optional(),
  changes: z.array(change).nullish(),
  potentialChanges: z.array(change).nullish(),
  diagnostics: z.array(diagnostic).nullish(),
});

/** Which deployment a plan is of. A plan is applied to this one and to no other. */
export const planTarget = z.strictObject({
  environment: z.string().min(1),
  subscription: z.string().min(1),
  stack: z.string().min(1),
  location: z.string().min(1),
});
export type PlanTarget = z.infer<typeof planTarget>;

const document = z.record(z.string(), z.unknown());

const plan = z.strictObject({
  schemaVersion: z.literal(1),
  target: planTarget,
  /** How many resources change in which way. */
  summary: z.record(z.string(), z.int()),
  changes: z.array(change),
  potentialChanges: z.array(change),
  /** What the changes may leave out, and why. */
  diagnostics: z.array(diagnostic),
  /** Compiled, with every variable of the environment put in: the very bytes that are applied. */
  parameters: document,
  template: document,
});
export type Plan = z.infer<typeof plan>;

/**
 * The plan of a deployment: what is deployed (the compiled template and its parameters) and what it would change, in one document
 * whose digest an approval can name. Equal answers give equal bytes, in whatever order the service lists them.
 *
 * @throws Error when the what-if did not succeed: half an answer is no plan.
 */
export function makePlan(target: PlanTarget, whatIf: unknown, parameters: unknown, template: unknown): Plan {
  const result = whatIfResult.parse(whatIf);
  if (result.status !== 'Succeeded' || (result.error !== undefined && result.error !== null))
    throw new Error(`The what-if ended as ${result.status}: ${JSON.stringify(result.error ?? null).slice(0, 2_000)}`);
  const changes = inOrder(result.changes ?? []);
  const summary: Record<string, number> = {};
  for (const { changeType } of changes) summary[changeType] = (summary[changeType] ?? 0) + 1;
  return {
    schemaVersion: 1,
    target,
    summary: sorted(summary) as Plan['summary'],
    changes,
    potentialChanges: inOrder(result.potentialChanges ?? []),
    diagnostics: (result.diagnostics ?? [])
      .map((one) => sorted(one) as z.infer<typeof diagnostic>)
      .sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b))),
    parameters: document.parse(sorted(parameters)),
    template: document.parse(sorted(template)),
  };
}

export const planText = (of: Plan): string => `${JSON.stringify(of, null, 2)}\n`;

/** @throws Error when the text is no plan. */
export const readPlan = (text: string): Plan => plan.parse(JSON.parse(text));

const inOrder = (changes: readonly z.infer<typeof change>[]): Plan['changes'] =>
  changes
    .map((one) => sorted(one) as z.infer<typeof change>)
    .sort((a, b) => compare(a.resourceId, b.resourceId) || compare(JSON.stringify(a), JSON.stringify(b)));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The same value with the keys of every object in order. Lists keep theirs: in a template it may mean something. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compare(a, b))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
