import { existsSync, globSync } from 'node:fs';
import { TOOLCHAINS } from '../../../shared/sandbox/toolchains/catalogue.ts';
import { isInstalled } from '../../../shared/sandbox/toolchains/installed.ts';
import { installationsOf, packagesOf } from '../../../shared/sandbox/toolchains/places.ts';
import type { Machine } from './finding.ts';

/** This machine, as the sandboxes of its own workers see it. */
export const thisMachine: Machine = {
  hasToolchain: isInstalled,
  hasPythonModule: (name) => pythonLibraries().some((library) => existsSync(`${library}/${name}`)),
  hasNugetPackage: (name, version) => {
    const packages = packagesOf(TOOLCHAINS.dotnet);
    return packages !== undefined && existsSync(`${packages}/${name.toLowerCase()}/${version.toLowerCase()}`);
  },
};

/** Of the Python that a toolchain without a version means: the machine's own before an installation elsewhere. */
function pythonLibraries(): string[] {
  if (['/usr/local/bin/python3', '/usr/bin/python3'].some((path) => existsSync(path)))
    return ['/usr/lib/python3/dist-packages', ...globSync('/usr/local/lib/python3*/{dist,site}-packages')];
  const [newest] = installationsOf(TOOLCHAINS.python);
  return newest === undefined ? [] : globSync(`${newest.root}/lib/python3*/site-packages`);
}
