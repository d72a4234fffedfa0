import { packageLimits } from './limits.ts';

/** Why the registry did not give what was asked for. `passing` says that another attempt may. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly code: string;
  readonly passing: boolean;
  constructor(code: string, message: string, passing: boolean) {
    super(message);
    this.code = code;
    this.passing = passing;
  }
}

export type RegistryAnswer = { readonly status: number; readonly mediaType: string; readonly bytes: Uint8Array };

/** The one registry a job may read, with what the job has used of its limits. */
export type Registry = {
  /** Ends with a slash. */
  readonly base: string;
  /** GETs a packument or tarball by its path below the base. No credential is ever sent. */
  get(path: string, accept?: string): Promise<RegistryAnswer>;
};

const packument = /^(?:@[a-z0-9~-][a-z0-9._~-]*(?:\/|%2f))?[A-Za-z0-9~_-][A-Za-z0-9._~-]*$/i;
const named = '(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]*';
const tarball = new RegExp(`^${named}/-/(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*/)?[A-Za-z0-9@._~+-]+\\.tgz$`);
/** GitHub's and npmmirror's forms. */
const download = new RegExp(
  `^(?:download/${named}/[A-Za-z0-9.+-]+/[0-9a-f]{32,128}|${named}/download/[A-Za-z0-9@/._~+-]+\\.tgz)$`,
);

/** Whether a path below the registry is a packument or a tarball; nothing else is ever asked for. */
export function isRegistryPath(path: string): boolean {
  return (
    path.length <= 1_000 &&
    !path.split('/').includes('..') &&
    [packument, tarball, download].some((form) => form.test(path))
  );
}

const MOST = {
  tarballs: { each: packageLimits.tarballBytes, together: packageLimits.totalBytes },
  documents: { each: packageLimits.packumentBytes, together: packageLimits.packumentsBytes },
} as const;

/** Opens a registry by its address: https, or http on loopback. Throws a TypeError for another. */
export function openRegistry(address: string, signal: AbortSignal): Registry {
  const base = requireRegistry(address);
  let requests = 0;
  const used = { tarballs: 0, documents: 0 };
  return {
    base,
    get: async (path, accept = '*/*') => {
      if (!isRegistryPath(path))
        throw new RegistryRefusal(
          'REGISTRY-PATH-REFUSED',
          `${path.slice(0, 200)} is neither a package's document nor its tarball`,
          false,
        );
      requests += 1;
      if (requests > packageLimits.requests)
        throw new RegistryRefusal(
          'PACKAGES-TOO-MANY',
          `more than ${packageLimits.requests} requests to the registry`,
          false,
        );
      const kind = path.endsWith('.tgz') || path.startsWith('download/') ? 'tarballs' : 'documents';
      const { each, together } = MOST[kind];
      const limit = Math.min(each, together - used[kind]);
      const answer = await getFollowing(new URL(path, base), new URL(base), accept, limit, signal).catch((error) => {
        if (!(error instanceof RegistryRefusal) || error.code !== 'PACKAGES-TOO-LARGE') throw error;
        const most = limit < each ? `all ${kind} of one request` : `one of the ${kind}`;
        throw new RegistryRefusal(
          error.code,
          `${path} goes past what ${most} may have (${Math.floor((limit < each ? together : each) / 2 ** 20)} MiB)`,
          false,
        );
      });
      used[kind] += answer.bytes.byteLength;
      return answer;
    },
  };
}

/** The registry's address with a slash at its end, without user information. */
export function requireRegistry(address: string): string {
  const url = new URL(address);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback))
    throw new TypeError('the registry has to be an https address (http on loopback only)');
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** GETs an address without a credential, following redirects within the registry's origin. Throws a {@link RegistryRefusal}. */
export async function getFollowing(
  url: URL,
  registry: URL,
  accept: string,
  limit: number,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  let at = url;
  for (let hop = 0; hop <= packageLimits.redirects; hop++) {
    const response = await ask(at, accept, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      return {
        status: response.status,
        mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
        bytes: await readBounded(response, at, limit),
      };
    }
    await response.body?.cancel();
    at = new URL(location, at);
    if (at.origin !== registry.origin)
      throw new RegistryRefusal(
        'REGISTRY-REDIRECTED',
        `the registry redirects ${url.pathname} to another origin, ${at.origin}`,
        false,
      );
  }
  throw new RegistryRefusal(
    'REGISTRY-REDIRECTED',
    `the registry redirects ${url.pathname} more than ${packageLimits.redirects} times`,
    false,
  );
}

async function ask(url: URL, accept: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      redirect: 'manual',
      credentials: 'omit',
      headers: { accept },
      signal: AbortSignal.any([signal, AbortSignal.timeout(packageLimits.requestMs)]),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
    throw new RegistryRefusal(
      'REGISTRY-UNREACHABLE',
      `the registry did not answer for ${url.pathname}: ${String(cause)}`,
      true,
    );
  }
}

async function readBounded(response: Response, url: URL, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > limit)
        throw new RegistryRefusal(
          'PACKAGES-TOO-LARGE',
          `${url.pathname} has more than the ${limit} bytes that it may have`,
          false,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof RegistryRefusal) throw error;
    throw new RegistryRefusal('REGISTRY-UNREACHABLE', `the registry broke off while sending ${url.pathname}`, true);
  }
  return Buffer.concat(chunks);
}
