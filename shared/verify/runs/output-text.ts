import { stripVTControlCharacters } from 'node:util';
import { revealed } from '../../domain/text/hidden.ts';
import type { SandboxResult } from '../../sandbox/driver.ts';

type Output = Pick<SandboxResult, 'stdout' | 'stderr'>;

/** Bytes read of each stream, from both of its ends: what a runner says of itself stands at the top or at the bottom. */
const END_BYTES = 256 * 1024;

/**
 * What a program wrote, standard error last, as text without terminal colours. Of a stream longer than 512 KiB the middle is left
 * out.
 */
export function outputText({ stdout, stderr }: Output): string {
  return `${textOf(stdout)}\n${textOf(stderr)}`;
}

function textOf(bytes: Uint8Array): string {
  const decoder = new TextDecoder();
  const text =
    bytes.byteLength <= 2 * END_BYTES
      ? decoder.decode(bytes)
      : `${decoder.decode(bytes.subarray(0, END_BYTES))}\n…\n${decoder.decode(bytes.subarray(-END_BYTES))}`;
  return stripVTControlCharacters(text).replaceAll('\r\n', '\n');
}

const LINES = 12;
const CHARACTERS = 800;

/** The last lines that a program wrote, for messages: at most 12 lines and 800 characters, hidden characters made visible. */
export function lastLines(
  output: Output,
  most: { readonly lines: number; readonly characters: number } = { lines: LINES, characters: CHARACTERS },
): string {
  const lines = outputText(output)
    .split('\n')
    .map((line) => revealed(line.trimEnd()))
    .filter((line) => line !== '');
  const text = lines.slice(-most.lines).join('\n');
  return text.length <= most.characters ? text : `…${text.slice(1 - most.characters)}`;
}
