import type { ApplicationDeclaration } from '../../../shared/domain/application/declaration.ts';
import { defaultBranchOf, gitDirectoryOf, headOf } from '../git-directory.ts';
import { defaultName } from '../repository-name.ts';
import { detect, detectedLines } from './detect.ts';
import { openTree } from './tree.ts';
import { declarationText, detectedDeclaration, type Subject } from './write-declaration.ts';

export type MadeDeclaration = {
  readonly declaration: ApplicationDeclaration;
  /** The same as YAML with comments. */
  readonly text: string;
  /** What was found and what was not, for people. */
  readonly lines: readonly string[];
};

/** A declaration of a repository on this machine, by what the branch of its HEAD holds. Throws a CommandFailure. */
export async function declarationOfRepository(given: string, name: string | undefined): Promise<MadeDeclaration> {
  const directory = await gitDirectoryOf(given);
  const location = directory.common;
  const defaultBranch = defaultBranchOf(directory, headOf(directory), undefined);
  const detected = detect(openTree(location, defaultBranch));
  const subject: Subject = { name: name ?? defaultName(location), location, defaultBranch, ref: defaultBranch };
  return {
    declaration: detectedDeclaration(subject, detected),
    text: declarationText(subject, detected),
    lines: detectedLines(detected),
  };
}
