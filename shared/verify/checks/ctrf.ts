import { z } from 'zod';
import { type ReportedTest, SAID } from './junit.ts';

/** The parts that matter of a Common Test Report (CTRF, https://ctrf.io, version 0): tools add fields of their own. */
const report = z.object({
  results: z.object({
    summary: z.object({ tests: z.int().min(0) }),
    tests: z.array(
      z.object({
        name: z.string(),
        status: z.enum(['passed', 'failed', 'skipped', 'pending', 'other']),
        suite: z.union([z.string(), z.array(z.string())]).optional(),
        filePath: z.string().optional(),
        message: z.string().optional(),
        trace: z.string().optional(),
      }),
    ),
  }),
});

/** The tests of a CTRF report; undefined when it is not one whole report, or lists fewer tests than it counts. */
export function readCtrf(text: string): ReportedTest[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = report.safeParse(value);
  if (!parsed.success) return undefined;
  const { tests, summary } = parsed.data.results;
  if (tests.length < summary.tests) return undefined;
  return tests.map(({ name, status, suite = [], filePath = '', message = '', trace = '' }) => ({
    name: [filePath, ...(typeof suite === 'string' ? [suite] : suite), name].join('\u0000'),
    outcome: status === 'passed' || status === 'failed' ? status : 'skipped',
    ...(status === 'failed' ? { said: `${message}\n${trace}`.slice(0, SAID) } : {}),
  }));
}
