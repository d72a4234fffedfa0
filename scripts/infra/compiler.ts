import { spawnSync } from 'node:child_process';
import path from 'node:path';

export type Compiled = { readonly kind: 'absent' } | { readonly kind: 'ran'; readonly faults: readonly string[] };

/** Builds and lints with the Bicep CLI where one is on PATH (`bicep`, else `az bicep`); nothing is downloaded. */
export function compileWith(infra: string, environment: NodeJS.ProcessEnv = process.env): Compiled {
  const command = [['bicep'], ['az', 'bicep']].find(
    ([program = '', ...rest]) =>
      spawnSync(program, [...rest, '--version'], { env: environment, timeout: 30_000 }).status === 0,
  );
  if (command === undefined) return { kind: 'absent' };
  const [program = '', ...rest] = command;
  const file = (name: string): string[] =>
    program === 'az' ? ['--file', path.join(infra, name)] : [path.join(infra, name)];
  const steps = [
    ['build', 'main.bicep'],
    ['lint', 'main.bicep'],
    ['build-params', 'main.dev.bicepparam'],
    ['build-params', 'main.prod.bicepparam'],
  ] as const;
  const faults = steps.flatMap(([verb, name]) => {
    const stdout = verb === 'lint' ? [] : ['--stdout'];
    const run = spawnSync(program, [...rest, verb, ...file(name), ...stdout], {
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...EXAMPLE_VARIABLES, ...environment },
    });
    return run.status === 0 ? [] : [`${verb} ${name}: ${run.stderr.trim().slice(0, 4_000)}`];
  });
  return { kind: 'ran', faults };
}

/** Parameter files read these; a check has no environment of its own to deploy to. */
const EXAMPLE_VARIABLES = {
  FACTORY_SQL_ADMIN_GROUP: 'sql-administrators',
  FACTORY_SQL_ADMIN_GROUP_ID: '00000000-0000-4000-8000-000000000000',
  FACTORY_API_CLIENT_ID: '00000000-0000-4000-8000-000000000000',
  FACTORY_POLICY_OWNER_ID: '00000000-0000-4000-8000-000000000000',
  FACTORY_ALERT_EMAILS: 'operators@example.org',
  FACTORY_BUDGET_START: '2026-01-01',
  FACTORY_ALLOWED_RANGES: '192.0.2.0/24',
};
