import { runGit } from './spawn.ts';

/** The git that works here, as in `git 2.39.5`. */
export async function gitVersion(repository: string): Promise<string> {
  const { stdout } = await runGit({ repository, arguments: ['version'] });
  return stdout.toString().trim().replace('git version ', 'git ').slice(0, 100);
}
