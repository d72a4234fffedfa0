import { stripVTControlCharacters } from 'node:util';
import type { ToolchainName, WantedToolchain } from '../../domain/application/check-environment.ts';
import type { Mount, RunTools, SandboxDriver } from '../driver.ts';
import { defaultSandboxLimits } from '../limits.ts';
import { TOOLCHAINS } from './catalogue.ts';
import { filesOf, type Installation, installationsOf, packagesOf } from './places.ts';

/** Toolchains as programs of a repository run with them. */
export type OpenedToolchains = {
  readonly tools: RunTools;
  /** Packages that were installed for them. */
  readonly mounts?: readonly Mount[];
  readonly environment: Readonly<Record<string, string>>;
  /** Program → version, as the program itself says inside the sandbox. */
  readonly versions: Readonly<Record<string, string>>;
};

/** A toolchain that can't be had, and which versions of it can. */
export type MissingToolchain = { readonly wanted: WantedToolchain; readonly there: readonly string[] };

/** Installations of one toolchain that are tried; each try is a sandbox of its own. */
const mostTried = 16;

/**
 * Finds each toolchain: what the sandbox has on its PATH first, then this machine's other installations, newest first. Nothing
 * is believed that did not run inside. Answers with the ones that are missing when any is.
 */
export async function openToolchains(
  driver: SandboxDriver,
  wanted: readonly WantedToolchain[],
): Promise<OpenedToolchains | { readonly missing: readonly MissingToolchain[] }> {
  const found: OpenedToolchains[] = [];
  const missing: MissingToolchain[] = [];
  for (const each of wanted) {
    const opened = await openToolchain(driver, each);
    if ('there' in opened) missing.push({ wanted: each, there: opened.there });
    else found.push(opened);
  }
  if (missing.length > 0) return { missing };
  return {
    tools: {
      path: found.flatMap(({ tools }) => tools.path),
      directories: [...new Set(found.flatMap(({ tools }) => tools.directories))],
    },
    environment: Object.assign({}, ...found.map(({ environment }) => environment)),
    versions: Object.assign({}, ...found.map(({ versions }) => versions)),
  };
}

async function openToolchain(
  driver: SandboxDriver,
  { name, version }: WantedToolchain,
): Promise<OpenedToolchains | { readonly there: readonly string[] }> {
  const kind = TOOLCHAINS[name];
  const [main = ''] = Object.keys(kind.programs);
  const there: string[] = [];
  // In a session nothing of this machine is there: its image is all it has.
  const installed = driver.kind === 'sessions' ? [] : installationsOf(kind).toSorted(named(version));
  for (const installation of [undefined, ...installed.slice(0, mostTried)]) {
    const tools = toolsOf(driver, name, installation);
    const versions = await versionsOf(driver, name, tools);
    const own = versions[main];
    if (own === undefined) continue;
    if (version === undefined || own === version || own.startsWith(`${version}.`)) {
      const home = name === 'java' && installation !== undefined ? { JAVA_HOME: installation.root } : {};
      const environment = { ...kind.environment, ...packagesVariable(name, tools), ...home };
      return { tools, environment, versions: recorded(versions) };
    }
    there.push(own);
  }
  return { there: [...new Set(there)] };
}

/** Those first whose path names the version. */
const named =
  (version: string | undefined) =>
  (a: Installation, b: Installation): number =>
    version === undefined ? 0 : Number(b.root.includes(version)) - Number(a.root.includes(version));

function toolsOf(driver: SandboxDriver, name: ToolchainName, installation: Installation | undefined): RunTools {
  const files = driver.kind === 'sessions' ? [] : filesOf(TOOLCHAINS[name]);
  return {
    path: installation === undefined ? [] : [installation.bin],
    directories: [...files, ...(installation === undefined ? [] : [installation.root])],
  };
}

function packagesVariable(name: ToolchainName, tools: RunTools): Record<string, string> {
  const { packages } = TOOLCHAINS[name];
  const directory = packagesOf(TOOLCHAINS[name]);
  return packages !== undefined && directory !== undefined && tools.directories.includes(directory)
    ? { [packages.variable]: directory }
    : {};
}

const known = new WeakMap<SandboxDriver, Map<string, Promise<Readonly<Record<string, string>>>>>();

/** What the programs say of themselves inside, asked once for each installation in the life of a driver. */
function versionsOf(
  driver: SandboxDriver,
  name: ToolchainName,
  tools: RunTools,
): Promise<Readonly<Record<string, string>>> {
  const ofDriver = known.get(driver) ?? new Map<string, Promise<Readonly<Record<string, string>>>>();
  known.set(driver, ofDriver);
  const key = `${name} ${tools.path.join(':')}`;
  const answer = ofDriver.get(key) ?? askVersions(driver, name, tools);
  ofDriver.set(key, answer);
  // A machine at fault is asked again.
  answer.catch(() => ofDriver.delete(key));
  return answer;
}

async function askVersions(driver: SandboxDriver, name: ToolchainName, tools: RunTools) {
  const { programs, environment } = TOOLCHAINS[name];
  const script = Object.entries(programs)
    .map(([program, argument]) => {
      const own = tools.path.map((directory) => `${directory}/${program}`);
      return `for p in ${[...own, program].join(' ')}; do if command -v "$p" >/dev/null 2>&1; then printf '%s\\t%s\\n' '${program}' "$("$p" ${argument} 2>&1 | head -n 1)"; break; fi; done`;
    })
    .join('\n');
  const result = await driver.run({
    argv: ['/bin/sh', '-c', script],
    workingDirectory: '/',
    mounts: [],
    tools,
    environment,
    limits: { ...defaultSandboxLimits, wallMs: 60_000 },
  });
  const versions: Record<string, string> = {};
  for (const line of new TextDecoder().decode(result.stdout).split('\n')) {
    const [program, said = ''] = line.split('\t');
    const version = /\d+(?:\.\d+)*(?:[-+.~][0-9A-Za-z]+)*/.exec(stripVTControlCharacters(said))?.[0];
    if (program !== undefined && version !== undefined) versions[program] = version.slice(0, 100);
  }
  return versions;
}

/** Under the names that people know the programs by. */
function recorded({ python3, ...rest }: Readonly<Record<string, string>>): Record<string, string> {
  return python3 === undefined ? rest : { python: python3, ...rest };
}
