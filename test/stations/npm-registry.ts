import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export type PublishedPackage = {
  readonly name: string;
  readonly version: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
};

export type NpmRegistry = {
  readonly url: string;
  readonly requests: string[];
  integrity(name: string, version: string): string;
  tarballUrl(name: string, version: string): string;
  tarball(name: string, version: string): Buffer;
  /** Answers these paths with something else than a registry would. */
  readonly answers: Map<
    string,
    { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Uint8Array }
  >;
  close(): Promise<void>;
};

/** An npm registry on loopback that serves packed packages: packuments and tarballs, nothing else. */
export async function startNpmRegistry(published: readonly PublishedPackage[]): Promise<NpmRegistry> {
  const requests: string[] = [];
  const answers: NpmRegistry['answers'] = new Map();
  const tarballs = new Map(published.map((each) => [tarballPath(each.name, each.version), pack(each)]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    requests.push(`${request.method ?? ''} ${path}`);
    const answer = answers.get(path);
    const tarball = tarballs.get(path);
    if (answer !== undefined) {
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } else if (tarball !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    } else {
      const versions = published.filter(({ name }) => name === path);
      if (versions.length === 0) response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      else
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument(path, versions)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const integrity = (name: string, version: string): string =>
    `sha512-${createHash('sha512')
      .update(tarballs.get(tarballPath(name, version))!)
      .digest('base64')}`;

  function packument(name: string, versions: readonly PublishedPackage[]): unknown {
    const last = versions.at(-1)!.version;
    return {
      name,
      'dist-tags': { latest: last },
      // Long ago: pnpm 11 and yarn 4.18 leave what is younger than a day alone.
      time: Object.fromEntries(versions.map(({ version }) => [version, '2024-01-01T00:00:00.000Z'])),
      versions: Object.fromEntries(
        versions.map(({ version, manifest }) => [
          version,
          {
            name,
            version,
            ...manifest,
            dist: {
              tarball: `${url}${tarballPath(name, version)}`,
              shasum: createHash('sha1')
                .update(tarballs.get(tarballPath(name, version))!)
                .digest('hex'),
              integrity: integrity(name, version),
            },
          },
        ]),
      ),
    };
  }

  return {
    url,
    requests,
    answers,
    integrity,
    tarball: (name, version) => tarballs.get(tarballPath(name, version))!,
    tarballUrl: (name, version) => `${url}${tarballPath(name, version)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function tarballPath(name: string, version: string): string {
  return `${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

function pack({ name, version, files = {}, manifest = {} }: PublishedPackage): Buffer {
  const all = { 'package.json': JSON.stringify({ name, version, ...manifest }), ...files };
  const blocks = Object.entries(all).flatMap(([path, text]) => {
    const body = Buffer.from(text);
    return [tarHeader(`package/${path}`, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
