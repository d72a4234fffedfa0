import { wantedToolchains } from '../../domain/application/check-environment.ts';
import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import {
  type MissingToolchain,
  type OpenedToolchains,
  openToolchains,
} from '../../sandbox/toolchains/open-toolchains.ts';

/** The toolchains that the application declares, or a failure that asks a person: known before anything of the repository runs. */
export async function requireToolchains(
  driver: SandboxDriver,
  declaration: ApplicationDeclaration,
): Promise<OpenedToolchains> {
  const opened = await openToolchains(driver, wantedToolchains(declaration.environment));
  if (!('missing' in opened)) return opened;
  const where = driver.kind === 'sessions' ? "the image of the session pool's containers" : "this worker's machine";
  throw new TaskFailure({
    kind: 'needs_human',
    code: 'TOOLCHAIN-MISSING',
    question:
      `${declaration.name} declares ${opened.missing.map((each) => described(each, where)).join('; ')}. Install it there, or correct environment.toolchain in the declaration, and submit again?`.slice(
        0,
        2_000,
      ),
  });
}

function described({ wanted, there }: MissingToolchain, where: string): string {
  const { name, version } = wanted;
  const has = there.length === 0 ? 'has none' : `has ${there.join(', ')}`;
  return `the toolchain ${name}${version === undefined ? '' : ` ${version}`}, and ${where} ${has}`;
}
