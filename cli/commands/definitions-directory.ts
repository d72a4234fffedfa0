import { fileURLToPath } from 'node:url';
import { type DefinitionsBundle, loadBundle } from '../../shared/definitions/bundle.ts';
import { CommandFailure, messageOf } from '../failure.ts';

/** The definitions that come with the program. */
export const DEFAULT_DEFINITIONS = fileURLToPath(new URL('../../definitions/', import.meta.url));

export async function definitionsIn(directory: string): Promise<DefinitionsBundle> {
  return await loadBundle(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CommandFailure(`There are no definitions in ${directory}: ${messageOf(error)}`);
    throw error;
  });
}
