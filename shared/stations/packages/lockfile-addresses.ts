import { type LockedPackage, usualTarballPath } from './locked.ts';
import { gatewayAddress } from './resolver.ts';

/**
 * Addresses of tarballs in a lockfile. In the sandbox they lead to the gateway; in somebody's repository that has no place, nor has
 * the configured registry, which may be a mirror that nobody outside can reach.
 */
export type LockfileAddresses = {
  /** A lockfile whose addresses lead to the gateway. */
  led(text: string): string;
  /** A new lockfile with the addresses that the old one has or, of new packages, would have had. */
  restored(text: string): string;
};

export function lockfileAddresses(packages: readonly LockedPackage[], registryBase: string): LockfileAddresses {
  const bases = new Map<string, string>();
  for (const { name, version, resolved } of packages) {
    const usual = usualTarballPath(name, version);
    if (resolved?.endsWith(`/${usual}`) === true) bases.set(usual, resolved.slice(0, -usual.length));
  }
  const counted = Map.groupBy(bases.values(), (base) => base);
  const [home = registryBase] = [...counted].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const lead = (text: string, base: string): string =>
    text.replaceAll(below(base), (stated, path: string) => (bases.get(path) === base ? gatewayAddress + path : stated));
  const restore = (text: string, base: string): string =>
    text.replaceAll(below(base), (_, path: string) => (bases.get(path) ?? home) + path);
  return {
    led: (text) => [...counted.keys()].reduce(lead, text),
    // By the registry's own address where a manager writes what a package's document says.
    restored: (text) => [gatewayAddress, registryBase].reduce(restore, text),
  };
}

/** Every address below a base, with its path as far as it names a tarball. */
const below = (base: string): RegExp =>
  new RegExp(`${base.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')}([^\\s"'#,}?]+)`, 'g');
