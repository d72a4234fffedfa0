import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPacketFile } from '../../cli/request/packet-file.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { scratch } from '../sandbox/repositories.ts';

const packet = (patchFile: string): string =>
  `apiVersion: factory/v1\nkind: TaskPacket\ngoal: g\nintent: i\nsource: { kind: person }\nscope: { repository: shop, allowedPaths: ["**"] }\nacceptance: [{ given: a, when: b, then: c }]\nline: { name: patch, patchFile: ${JSON.stringify(patchFile)} }\n`;
const patch = Buffer.from('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-gr\xfc\xdfe\r\n+gru\xdf\r\n', 'latin1');

function folder(): string {
  const directory = join(scratch(), 'packets');
  mkdirSync(join(directory, 'patches'), { recursive: true });
  writeFileSync(join(directory, 'patches', 'x.patch'), patch);
  writeFileSync(join(directory, '..', 'outside.patch'), patch);
  return directory;
}

test('the bytes of patchFile are what is submitted', () => {
  const file = join(folder(), 'packet.yaml');
  writeFileSync(file, packet('patches/x.patch'));
  const { bytes, mediaType } = readPacketFile(file);
  const { line } = parsePacket(bytes, mediaType).packet;
  expect(line).toEqual({ name: 'patch', patchBase64: patch.toString('base64') });
});

test('a patchFile outside the packet folder, by name or by link, or that is no file, is refused in words', () => {
  const directory = folder();
  const file = join(directory, 'packet.yaml');
  symlinkSync(join(directory, '..', 'outside.patch'), join(directory, 'link.patch'));
  const refused: readonly (readonly [string, string])[] = [
    ['../outside.patch', 'outside'],
    ['link.patch', 'outside'],
    ['/etc/passwd', 'outside'],
    ['patches', 'no file'],
    ['absent.patch', "can't be read"],
  ];
  for (const [named, said] of refused) {
    writeFileSync(file, packet(named));
    expect(() => readPacketFile(file)).toThrow(said);
  }
});
