import type { Lockfile } from '../build/lockfile.ts';

export type Digested = { readonly name: string; readonly digest: Readonly<Record<string, string>> };

export type Made = {
  readonly subjects: readonly Digested[];
  readonly commit: string;
  readonly lockfile: Digested;
  readonly packages: Lockfile['packages'];
  /** Names of the packages of the lockfile that ran to make the files. */
  readonly madeBy: readonly string[];
  readonly tools: Readonly<Record<string, string>>;
};

/**
 * How files were made, as an in-toto statement (v1) with SLSA provenance (v1). It is unsigned: whoever trusts it trusts where they got it
 * from. Nothing of the machine and no time is in it, so the same commit yields the same text.
 */
export function provenanceOf(made: Made): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: made.subjects,
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:agent-factory:release:v1',
        externalParameters: { command: 'npm run release' },
        internalParameters: made.tools,
        resolvedDependencies: [
          { name: 'source', digest: { gitCommit: made.commit } },
          made.lockfile,
          ...made.madeBy.map((name) => packageOf(name, made.packages[`node_modules/${name}`])),
        ],
      },
      // No build service vouches for it: the script ran wherever somebody called it.
      runDetails: { builder: { id: 'urn:agent-factory:unattested-builder' } },
    },
  };
}

/** By package URL, with the content that the lockfile names (Subresource Integrity, base64) as a hexadecimal digest. */
function packageOf(name: string, locked: Lockfile['packages'][string] | undefined): object {
  if (locked?.integrity === undefined) throw new Error(`package-lock.json does not name the content of ${name}`);
  const [algorithm = '', base64 = ''] = locked.integrity.split('-');
  return {
    uri: `pkg:npm/${name.replace('@', '%40')}@${locked.version}`,
    digest: { [algorithm]: Buffer.from(base64, 'base64').toString('hex') },
  };
}
