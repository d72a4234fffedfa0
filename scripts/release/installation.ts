import type { Lockfile } from '../build/lockfile.ts';

/** What npm reads of the package itself from a lockfile. */
export type Packed = {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/**
 * package.json and package-lock.json of a folder in which `npm ci` installs a tarball and the very packages that it was tested with. npm
 * takes a package's own shrinkwrap from a registry alone, never from a file (npm 11).
 */
export function installationOf(
  packed: Packed,
  tarball: { readonly file: string; readonly integrity: string },
  packages: Lockfile['packages'],
) {
  const { name, version, bin, engines, dependencies, optionalDependencies } = packed;
  const resolved = `file:${tarball.file}`;
  const root = { name: `${name}-installation`, version, dependencies: { [name]: resolved } };
  const itself = { version, resolved, integrity: tarball.integrity, bin, engines, dependencies, optionalDependencies };
  const { '': _, ...rest } = packages;
  return {
    manifest: { ...root, private: true },
    lockfile: {
      name: root.name,
      version,
      lockfileVersion: 3,
      requires: true,
      packages: { '': root, [`node_modules/${name}`]: itself, ...rest },
    },
  };
}
