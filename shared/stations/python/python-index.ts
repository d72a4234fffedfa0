import { createHash } from 'node:crypto';
import { packageLimits } from '../packages/limits.ts';
import { getFollowing, RegistryRefusal, requireRegistry } from '../packages/registry.ts';
import { type IndexFile, PAGE_TYPES, readIndexPage } from './index-page.ts';
import { normalName } from './requirement.ts';

/** The one index of Python packages that a job may read (PEP 503, PEP 691), with what the job has used of its limits. */
export type PythonIndex = {
  readonly base: string;
  /** The wheels of a project by its normalised name; undefined when the index has no such project. */
  wheels(project: string): Promise<readonly IndexFile[] | undefined>;
  /** A wheel's bytes, held against the digest that the index states. */
  fetch(file: IndexFile): Promise<Uint8Array>;
  /** What was fetched: file name → sha256, hexadecimal. */
  readonly fetched: ReadonlyMap<string, string>;
  /** Projects that were looked for, and what they had: nothing at all, or sources alone. */
  readonly without: ReadonlyMap<string, 'nothing' | 'sources'>;
};

/** PyPI keeps its files on a host of their own; every other index keeps them at its own origin. */
const filesOf: Readonly<Record<string, string>> = { 'https://pypi.org': 'https://files.pythonhosted.org' };

/** Opens an index by the address of its simple API: https, or http on loopback. Throws a TypeError for another. */
export function openPythonIndex(address: string, signal: AbortSignal): PythonIndex {
  const base = requireRegistry(address);
  const { origin } = new URL(base);
  const origins = [origin, ...(filesOf[origin] === undefined ? [] : [filesOf[origin]])];
  const pages = new Map<string, readonly IndexFile[] | undefined>();
  const fetched = new Map<string, string>();
  const without = new Map<string, 'nothing' | 'sources'>();
  let requests = 0;
  let bytes = 0;

  const get = async (url: URL, accept: string, limit: number) => {
    requests += 1;
    if (requests > packageLimits.requests)
      throw new RegistryRefusal(
        'PACKAGES-TOO-MANY',
        `more than ${packageLimits.requests} requests to the index`,
        false,
      );
    const answer = await getFollowing(
      url,
      new URL(url.origin),
      accept,
      Math.min(limit, packageLimits.totalBytes - bytes),
      signal,
    );
    bytes += answer.bytes.byteLength;
    if (answer.status >= 500 || answer.status === 429)
      throw new RegistryRefusal(
        'REGISTRY-UNREACHABLE',
        `the index answered ${answer.status} for ${url.pathname}`,
        true,
      );
    return answer;
  };

  return {
    base,
    fetched,
    without,
    wheels: async (project) => {
      const name = normalName(project);
      if (pages.has(name)) return pages.get(name);
      const address = new URL(`${encodeURIComponent(name)}/`, base);
      const { status, mediaType, bytes: page } = await get(address, PAGE_TYPES, packageLimits.packumentBytes);
      const files = status === 200 ? readIndexPage(page, mediaType, address.href) : undefined;
      const wheels = files?.filter((file) => file.name.endsWith('.whl') && origins.includes(new URL(file.url).origin));
      if (files === undefined) without.set(name, 'nothing');
      else if (wheels?.length === 0) without.set(name, 'sources');
      pages.set(name, wheels);
      return wheels;
    },
    fetch: async (file) => {
      const answer = await get(new URL(file.url), '*/*', packageLimits.tarballBytes);
      if (answer.status !== 200)
        throw new RegistryRefusal('PACKAGE-NOT-FOUND', `the index answered ${answer.status} for ${file.name}`, false);
      const sha256 = createHash('sha256').update(answer.bytes).digest('hex');
      if (file.sha256 !== undefined && file.sha256 !== sha256)
        throw new RegistryRefusal(
          'PACKAGE-INTEGRITY',
          `the bytes of ${file.name} are not those the index promises`,
          false,
        );
      fetched.set(file.name, sha256);
      return answer.bytes;
    },
  };
}
