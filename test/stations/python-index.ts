import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

export type PublishedWheel = {
  readonly name: string;
  readonly version: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly requires?: readonly string[];
  /** A tag of the file's name, e.g. of another platform. */
  readonly tag?: string;
  /** Only the sources are there. */
  readonly sourcesOnly?: true;
};

export type TestIndex = {
  /** Of the simple API, with a slash at its end. */
  readonly url: string;
  readonly requests: string[];
  sha256(name: string, version: string): string;
  /** Bytes that are given for a file in place of its own. */
  readonly instead: Map<string, Uint8Array>;
  /** A place that a project's page is redirected to. */
  readonly redirects: Map<string, string>;
  close(): Promise<void>;
};

/** An index of Python packages on loopback (PEP 503, or PEP 691 where `json` is set), with wheels made here. */
export async function startPythonIndex(published: readonly PublishedWheel[], json = false): Promise<TestIndex> {
  const requests: string[] = [];
  const instead: TestIndex['instead'] = new Map();
  const redirects: TestIndex['redirects'] = new Map();
  const files = new Map(
    published.map((each) => [fileName(each), each.sourcesOnly ? Buffer.from('sources') : wheelOf(each)]),
  );
  const digest = (file: string): string =>
    createHash('sha256')
      .update(files.get(file) ?? '')
      .digest('hex');
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    requests.push(path);
    const redirect = redirects.get(path);
    const [, project] = /^\/simple\/([^/]+)\/$/.exec(path) ?? [];
    const [, file = ''] = /^\/files\/([^/]+)$/.exec(path) ?? [];
    const named = published.filter(({ name }) => name === project).map(fileName);
    if (redirect !== undefined) response.writeHead(302, { location: redirect }).end();
    else if (files.has(file)) response.writeHead(200).end(instead.get(file) ?? files.get(file));
    else if (named.length === 0) response.writeHead(404).end('no');
    else if (json)
      response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' }).end(
        JSON.stringify({
          meta: { 'api-version': '1.1' },
          name: project,
          files: named.map((each) => ({
            filename: each,
            url: `../../files/${each}`,
            hashes: { sha256: digest(each) },
            'requires-python': '>=3.6',
          })),
        }),
      );
    else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          named
            .map(
              (each) => `<a href="/files/${each}#sha256=${digest(each)}" data-requires-python="&gt;=3.6">${each}</a>`,
            )
            .join('\n'),
        );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`,
    requests,
    instead,
    redirects,
    sha256: (name, version) => digest(fileName({ name, version })),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const fileName = ({ name, version, tag, sourcesOnly }: PublishedWheel): string =>
  sourcesOnly ? `${name}-${version}.tar.gz` : `${name.replaceAll('-', '_')}-${version}-${tag ?? 'py3-none-any'}.whl`;

function wheelOf({ name, version, files = {}, requires = [], tag }: PublishedWheel): Buffer {
  const info = `${name.replaceAll('-', '_')}-${version}.dist-info`;
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requires.map((each) => `Requires-Dist: ${each}\n`).join('')}`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag ?? 'py3-none-any'}\n`,
  };
  const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join('');
  return zip({ ...all, [`${info}/RECORD`]: record });
}

/** A zip archive of stored files (PKWARE APPNOTE 4.3). */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [path, text] of Object.entries(files)) {
    const name = Buffer.from(path);
    const content = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, content]);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    attributes.writeUInt32LE(at, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, attributes, name]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}
