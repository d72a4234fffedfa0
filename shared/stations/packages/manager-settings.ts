import { stringify } from 'yaml';
import { parseYaml } from './manifest.ts';

/**
 * What is read of `pnpm-workspace.yaml` and `.yarnrc.yml` when packages are resolved: settings that decide *what* is resolved and how
 * the lockfile is written. Nothing else reaches the manager: a registry, a token, a plug-in, hooks or another release of the manager
 * would decide where from and what runs.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'pnpm-workspace.yaml': [
    'packages',
    'catalog',
    'catalogs',
    'catalogMode',
    'cleanupUnusedCatalogs',
    'overrides',
    'packageExtensions',
    'patchedDependencies',
    'allowUnusedPatches',
    'allowNonAppliedPatches',
    'peerDependencyRules',
    'allowedDeprecatedVersions',
    'ignoredOptionalDependencies',
    'onlyBuiltDependencies',
    'neverBuiltDependencies',
    'autoInstallPeers',
    'dedupePeerDependents',
    'dedupeDirectDeps',
    'dedupeInjectedDeps',
    'dedupePeers',
    'excludeLinksFromLockfile',
    'injectWorkspacePackages',
    'linkWorkspacePackages',
    'preferWorkspacePackages',
    'saveWorkspaceProtocol',
    'sharedWorkspaceLockfile',
    'strictPeerDependencies',
    'resolvePeersFromWorkspaceRoot',
    'resolutionMode',
    'minimumReleaseAge',
    'minimumReleaseAgeExclude',
    'trustPolicy',
    'trustPolicyExclude',
    'trustPolicyIgnoreAfter',
    'blockExoticSubdeps',
    'lockfileIncludeTarballUrl',
    'peersSuffixMaxLength',
    'supportedArchitectures',
    'nodeLinker',
    'nodeVersion',
    'engineStrict',
    'savePrefix',
    'saveExact',
  ],
  '.yarnrc.yml': [
    'catalog',
    'catalogs',
    'nodeLinker',
    'compressionLevel',
    'cacheMigrationMode',
    'checksumBehavior',
    'defaultProtocol',
    'defaultSemverRangePrefix',
    'enableTransparentWorkspaces',
    'packageExtensions',
    'supportedArchitectures',
    'npmMinimalAgeGate',
    'npmPreapprovedPackages',
  ],
};

const KEYS_TOLD = 20;

export type ManagerSettings = {
  /** The file with the allowed settings alone. */
  readonly text: string;
  /** Keys that are there and were not taken, without their values, which may be secrets. */
  readonly ignored: readonly string[];
};

export const isSettingsFile = (path: string): boolean => Object.hasOwn(ALLOWED, path);

/** Reads a settings file as data. One that can't be read has no settings. */
export function readManagerSettings(path: string, text: string): ManagerSettings {
  const allowed = ALLOWED[path] ?? [];
  const read = parseYaml(text);
  const all = typeof read === 'object' && read !== null ? Object.entries(read) : [];
  const ignored = all.filter(([key]) => !allowed.includes(key)).map(([key]) => key.slice(0, 100));
  return {
    text: stringify(Object.fromEntries(all.filter(([key]) => allowed.includes(key)))),
    ignored: ignored.slice(0, KEYS_TOLD),
  };
}
