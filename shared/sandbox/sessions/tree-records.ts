/**
 * The form in which a tree goes into a session and what changed comes out of it: records in a row, parents before children, ended by a record that counts them.
 * A record is a header of 15 bytes (kind u8, path length u16, content length u48, time of the last change in seconds u48; big-endian), the path in UTF-8 and the content.
 * Both sides read what the other wrote as if a stranger had: nothing but directories, regular files and links that stay below the root has a form at all.
 */

export type RecordKind = 'directory' | 'file' | 'executable' | 'link' | 'removed';

export type TreeRecord = {
  readonly kind: RecordKind;
  readonly path: string;
  /** Of a file's bytes, or of a link's target. */
  readonly size: number;
  readonly changedAt: number;
};

export type RecordLimits = { readonly entries: number; readonly bytes: number };

/** Bytes that are no tree, or one that leads out of its place. Never carries contents. */
export class TreeRefused extends Error {
  readonly path: string | null;
  constructor(what: string, path?: string) {
    super(path === undefined ? what : `${what}: ${JSON.stringify(path.slice(0, 500))}`);
    this.name = 'TreeRefused';
    this.path = path ?? null;
  }
}

const headerBytes = 15;
const pathBytes = 4096;
const linkBytes = 4096;
const depth = 256;
const kinds: readonly RecordKind[] = ['directory', 'file', 'executable', 'link', 'removed'];
const END = 0;
/** Beyond the year 9999 a time is no time. */
const latest = 253_402_300_799;

export function recordHeader({ kind, path, size, changedAt }: TreeRecord): Buffer {
  requirePath(path);
  return header(kinds.indexOf(kind) + 1, Buffer.from(path), size, Math.min(Math.max(0, Math.floor(changedAt)), latest));
}

export const recordsEnd = (count: number): Buffer => header(END, Buffer.alloc(0), count, 0);

function header(kind: number, path: Buffer, size: number, changedAt: number): Buffer {
  const bytes = Buffer.alloc(headerBytes + path.length);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt16BE(path.length, 1);
  bytes.writeUIntBE(size, 3, 6);
  bytes.writeUIntBE(changedAt, 9, 6);
  path.copy(bytes, headerBytes);
  return bytes;
}

/** The records of a stream, one after another; `content` has to be read to its end before the next is asked for. @throws TreeRefused */
export async function* readRecords(
  source: AsyncIterable<Uint8Array>,
  limits: RecordLimits,
): AsyncGenerator<{ readonly record: TreeRecord; readonly content: () => AsyncGenerator<Buffer> }> {
  const reader = byteReader(source);
  let bytes = 0;
  for (let count = 0; ; count++) {
    const head = await reader.take(headerBytes);
    const size = head.readUIntBE(3, 6);
    const pathLength = head.readUInt16BE(1);
    const number = head.readUInt8(0);
    if (number === END) {
      if (size !== count || pathLength !== 0) throw new TreeRefused('the records are not as many as were sent');
      if (!(await reader.ended())) throw new TreeRefused('there is something after the last record');
      return;
    }
    const kind = kinds[number - 1];
    if (kind === undefined) throw new TreeRefused(`there is no record of kind ${number}`);
    if (count >= limits.entries) throw new TreeRefused(`there are more than ${limits.entries} entries`);
    if (pathLength > pathBytes) throw new TreeRefused(`a path is longer than ${pathBytes} bytes`);
    const path = utf8(await reader.take(pathLength), 'a path');
    requirePath(path);
    bytes += size;
    if (bytes > limits.bytes) throw new TreeRefused(`the files are larger than ${limits.bytes} bytes together`, path);
    if ((kind === 'directory' || kind === 'removed') && size !== 0)
      throw new TreeRefused(`a record of kind ${kind} has contents`, path);
    if (kind === 'link' && size > linkBytes) throw new TreeRefused('the target of a link is too long', path);
    let read = false;
    yield {
      record: { kind, path, size, changedAt: Math.min(head.readUIntBE(9, 6), latest) },
      content: () => {
        read = true;
        return reader.chunks(size);
      },
    };
    if (!read) for await (const _ of reader.chunks(size));
  }
}

function requirePath(path: string): void {
  const components = path.split('/');
  if (components.length > depth || Buffer.byteLength(path) > pathBytes)
    throw new TreeRefused('a path is too deep or too long', path);
  const plain = components.every((name) => name !== '' && name !== '.' && name !== '..');
  if (!plain || path.includes('\0') || path.includes('\uFFFD'))
    throw new TreeRefused('a path has to lead down from its root, in UTF-8', path);
}

/**
 * A link has to stay below the root by its letters *and* on disk, whatever other links there are: `..` only at its start, where it climbs real directories.
 * Laxer than the rules of a tree that goes into git (`git/path-rules.ts`), which are asked when a tree is captured: a package manager may link what git ignores.
 */
export function requireLinkInside(path: string, target: string): void {
  const climbs = /^(?:\.\.\/)*(?:\.\.$)?/.exec(target)?.[0] ?? '';
  const levels = climbs.split('/').filter((part) => part === '..').length;
  const rest = target.slice(climbs.length).split('/');
  const stays =
    target !== '' &&
    !target.startsWith('/') &&
    !target.includes('\0') &&
    !target.includes('\uFFFD') &&
    levels < path.split('/').length &&
    !rest.includes('..');
  if (!stays)
    throw new TreeRefused('a symbolic link leads out of the directory it is in, or turns back on its way', path);
}

export function utf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TreeRefused(`${what} is not UTF-8`);
  }
}

function byteReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  /** False when there is nothing more. */
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return true;
  };
  async function* chunks(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (!(await fill())) throw new TreeRefused('the records end in the middle');
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
  return {
    chunks,
    ended: async () => !(await fill()),
    async take(size: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      for await (const part of chunks(size)) parts.push(part);
      return Buffer.concat(parts);
    },
  };
}
