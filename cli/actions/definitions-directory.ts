import { type DefinitionsBundle, loadBundle } from '../../shared/definitions/bundle.ts';
import { CommandFailure, messageOf } from '../failure.ts';

/** The definitions of a directory. Fails in words when there is none. */
export async function definitionsIn(directory: string): Promise<DefinitionsBundle> {
  return await loadBundle(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CommandFailure(`There are no definitions in ${directory}: ${messageOf(error)}`);
    throw error;
  });
}
