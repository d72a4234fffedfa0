import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from './fixture.ts';

const folder = path.join(import.meta.dirname, 'released');

/** The schemas of which a data directory is kept, by the number of their last migration. */
export const RELEASED: readonly number[] = readdirSync(folder)
  .flatMap((file) => /^schema-(\d{4})\.tar\.gz$/.exec(file)?.[1] ?? [])
  .map(Number)
  .sort((a, b) => a - b);

/** Unpacks a released data directory and returns the path of its `plane` folder, which is the caller's to write to (by default until the test ends). */
export function releasedPlane(schema: number, directory = temporaryDirectory()): string {
  execFileSync('tar', ['-xzf', path.join(folder, `schema-${String(schema).padStart(4, '0')}.tar.gz`), '-C', directory]);
  return path.join(directory, 'plane');
}
