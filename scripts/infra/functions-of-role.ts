import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { POOLS_OF_ROLE } from '../../shared/jobs/protocol.ts';

/**
 * Names of the functions that a role's package registers in Azure, sorted: what the platform must list after a publish, when the triggers
 * are in sync. A worker role has a function a pool; control's names are read from where it registers them. It issues no tokens there.
 */
export async function functionsOfRole(root: string, role: string): Promise<string[]> {
  const pools = Object.entries(POOLS_OF_ROLE).find(([name]) => name === role)?.[1];
  if (pools !== undefined) return pools.map((pool) => `pool-${pool}`).sort();
  if (role !== 'control')
    throw new Error(`There is no role ${role}: control, ${Object.keys(POOLS_OF_ROLE).join(', ')}.`);
  const { HTTP_FUNCTIONS } = await import('../../functions/control/http/register.ts');
  const directory = path.join(root, 'functions', 'control');
  const names = new Set(HTTP_FUNCTIONS.map(({ name }) => name).filter((name) => !name.startsWith('identity-')));
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const text = await readFile(path.join(entry.parentPath, entry.name), 'utf8');
    for (const [, name = ''] of text.matchAll(/\b(?:app\.\w+|register\w+)\('([^']+)'/g)) names.add(name);
  }
  return [...names].sort();
}
