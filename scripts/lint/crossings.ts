import type { Source } from './sources.ts';

/**
 * Every commit, send and settle goes through `crossing`, which has a crash point on each side. Outside the files that hold
 * those calls, the calls themselves are faults; and every crossing that is named must be used somewhere.
 */
const GUARDED: readonly { readonly call: RegExp; readonly what: string }[] = [
  { call: /\bcommit\.run\(\)/, what: 'a database commit' },
  { call: /\.sendMessages\(/, what: 'a message send' },
];

export function checkCrossings(files: readonly Source[]): string[] {
  const faults: string[] = [];
  const product = files.filter((file) => file.path.startsWith('shared/') || file.path.startsWith('functions/'));
  for (const file of product) {
    for (const { call, what } of GUARDED) {
      file.text.split('\n').forEach((line, index) => {
        if (call.test(line) && !/crossing/.test(line) && !/crossing/.test(file.text))
          faults.push(
            `${file.path}:${index + 1}: ${what} outside a crossing; wrap it, so that the torture run can die on either side`,
          );
      });
    }
  }
  const point = product.find((file) => file.path === 'shared/telemetry/crash-point.ts');
  const names = [...(point?.text.match(/CROSSINGS = \[([^\]]*)\]/s)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(
    (match) => match[1] ?? '',
  );
  for (const name of names) {
    if (!product.some((file) => file !== point && file.text.includes(`'${name}'`)))
      faults.push(`shared/telemetry/crash-point.ts: the crossing "${name}" is used nowhere`);
  }
  return faults;
}
