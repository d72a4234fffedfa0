import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';

const manifest = z.looseObject({ name: z.string(), version: z.string() });

type Published = {
  readonly name: string;
  readonly version: string;
  readonly manifest: z.infer<typeof manifest>;
  /** Below the registry's address, in the form every registry has. */
  readonly path: string;
  readonly tarball: Buffer;
  readonly integrity: string;
};

export type PackageServer = { readonly url: string; close(): Promise<void> };

/**
 * Serves the packages below an example's `registry/` as an npm registry on loopback: documents and tarballs, nothing else. They
 * are packed to the same bytes on every machine, as the example's lockfile names them by their digest.
 */
export async function servePackages(example: string): Promise<PackageServer> {
  const published = await readPackages(fileURLToPath(new URL(`./${example}/registry/`, import.meta.url)));
  const server: Server = createServer((request, response) => {
    const asked = decodeURIComponent((request.url ?? '/').slice(1));
    const tarball = published.find(({ path }) => path === asked)?.tarball;
    const versions = published.filter(({ name }) => name === asked);
    if (request.method !== 'GET' || (tarball === undefined && versions.length === 0))
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    else if (tarball !== undefined)
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(packument(addressOf(server), asked, versions)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: addressOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

function packument(url: string, name: string, versions: readonly Published[]): unknown {
  return {
    name,
    'dist-tags': { latest: versions.at(-1)?.version },
    versions: Object.fromEntries(
      versions.map((each) => [
        each.version,
        { ...each.manifest, dist: { tarball: `${url}${each.path}`, integrity: each.integrity } },
      ]),
    ),
  };
}

/** One directory a version; sorted by name, so that the newest comes last. */
async function readPackages(root: string): Promise<Published[]> {
  const directories = (await readdir(root)).sort();
  return await Promise.all(
    directories.map(async (directory) => {
      const names = (await readdir(join(root, directory))).sort();
      const files = await Promise.all(
        names.map(async (name) => ({ name, bytes: await readFile(join(root, directory, name)) })),
      );
      const read = manifest.parse(JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8')));
      const tarball = pack(files);
      return {
        name: read.name,
        version: read.version,
        manifest: read,
        path: `${read.name}/-/${read.name.slice(read.name.indexOf('/') + 1)}-${read.version}.tgz`,
        tarball,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      };
    }),
  );
}

const BLOCK = 512;
/** Of the gzip header, which system wrote it (RFC 1952 §2.3.1); 255 is unknown. */
const GZIP_SYSTEM = 9;

/** A gzipped tar (POSIX.1-1988 ustar). Stored, not deflated: compressors differ from machine to machine. */
function pack(files: readonly { readonly name: string; readonly bytes: Buffer }[]): Buffer {
  const blocks = files.flatMap(({ name, bytes }) => [
    header(`package/${name}`, bytes.length),
    bytes,
    Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  const packed = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 0 });
  packed[GZIP_SYSTEM] = 255;
  return packed;
}

function header(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  bytes.write(name, 0);
  bytes.write('0000644\0', 100);
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  bytes.write('        ', 148);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
