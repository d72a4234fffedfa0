import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { readCompiled } from './compiled/document.ts';
import { type Check, runOnCompiled } from './finding.ts';
import { fileByDescription, type Landing } from './landing.ts';

export type Compiled = { readonly kind: 'absent' } | { readonly kind: 'ran'; readonly faults: readonly string[] };

/** Compiled templates over this size are refused by the service. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Builds and lints with the Bicep CLI where one is on PATH (`bicep`, else `az bicep`), and runs the checks over resources on what it made; nothing is
 * downloaded.
 */
export function compileWith(
  infra: string,
  landing: Landing,
  checks: readonly Check[],
  environment: NodeJS.ProcessEnv = process.env,
): Compiled {
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
      maxBuffer: 64 * 1024 * 1024,
      env: { ...EXAMPLE_VARIABLES, ...environment },
    });
    if (run.status !== 0) return [`${verb} ${name}: ${run.stderr.trim().slice(0, 4_000)}`];
    return verb === 'build' ? faultsOf(run.stdout, landing, checks).map((what) => `${verb} ${name}: ${what}`) : [];
  });
  return { kind: 'ran', faults };
}

function faultsOf(compiled: string, landing: Landing, checks: readonly Check[]): readonly string[] {
  const bytes = Buffer.byteLength(compiled);
  if (bytes > MOST_BYTES) return [`${bytes} bytes: the service takes 4 MB`];
  try {
    const documents = readCompiled(compiled, fileByDescription(landing));
    return runOnCompiled(documents, checks).map(({ check, where, what }) => `${check} ${where} ${what}`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
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
