import picomatch from 'picomatch';
import type { Packet } from '../../domain/packet/schema.ts';

export type PathTest = (path: string) => boolean;

/**
 * Whether a path matches one of the globs. Dot files match like others: a leading dot must not be a way out of `deniedPaths`.
 * Case counts, and `!`, extended globs and brackets have no meaning, as the packet's schema allows `*`, `**`, `?` and `{a,b}`.
 */
export function pathMatcher(globs: readonly string[]): PathTest {
  const tests = globs.map((glob) => picomatch(glob, { dot: true, nonegate: true, noextglob: true, nobracket: true }));
  return (path) => tests.some((test) => test(path));
}

/** Paths that a change may touch: allowed by the packet and not denied by it. */
export function changeScope(packet: Packet): PathTest {
  const allowed = pathMatcher(packet.scope.allowedPaths);
  const denied = pathMatcher(packet.scope.deniedPaths);
  return (path) => allowed(path) && !denied(path);
}
