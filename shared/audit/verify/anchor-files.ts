import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../intake/json.ts';
import { anchorName } from '../anchor/anchor-store.ts';
import { anchorDocument } from '../anchor/document.ts';
import { merkleTree } from '../anchor/merkle.ts';
import { ExportMalformed } from './malformed.ts';
import type { AnchorProof } from './record.ts';

/** A full anchor has about 600 KiB. */
const ANCHOR_BYTES = 4 * 1024 * 1024;
const DEPTH = 8;
const NAME = /^anchor-(\d{12})\.json$/;

/**
 * The anchors of a directory as they are kept (files of one machine, or blobs that were downloaded), ascending, one in memory at a time. Other
 * files are passed over. Nothing is believed here: signatures and order are for `verifyAnchors`. Throws `ExportMalformed` for a file that has the
 * name of an anchor and is none.
 */
export function* readAnchorFiles(directory: string): Generator<AnchorProof> {
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  if (names.length === 0)
    throw new ExportMalformed(
      `There is no anchor in ${directory}: they are named ${anchorName(1)} and so on. Give the directory they are kept in.`,
    );
  for (const name of names.sort()) yield readAnchorFile(path.join(directory, name), name);
}

function readAnchorFile(file: string, name: string): AnchorProof {
  const bad = (why: string): ExportMalformed =>
    new ExportMalformed(
      `${name} is not a stored anchor: ${why}. Get it again from where anchors are kept; nothing was verified.`,
    );
  if (statSync(file).size > ANCHOR_BYTES) throw bad(`it has more than ${ANCHOR_BYTES} bytes`);
  const read = readJson(readFileSync(file), DEPTH);
  if ('fault' in read) throw bad(read.fault.message.replace(/\.$/, ''));
  const parsed = anchorDocument.safeParse(read.value);
  if (!parsed.success) throw bad('it has another form');
  const { anchor, heads } = parsed.data;
  // Its place in the row is its name: an anchor under the name of another was exchanged.
  const sequence = sequenceOf(anchor.payload);
  if (sequence !== undefined && name !== anchorName(sequence)) throw bad(`anchor ${sequence} lies under that name`);
  const tree = merkleTree(heads);
  return {
    type: 'anchor',
    anchor,
    heads: heads.map((head, index) => ({ ...head, index, path: [...tree.path(index)] })),
  };
}

const sequenced = z.object({ sequence: z.int() });

function sequenceOf(payload: string): number | undefined {
  const read = readJson(Buffer.from(payload, 'base64'), DEPTH);
  const parsed = sequenced.safeParse('fault' in read ? undefined : read.value);
  return parsed.success ? parsed.data.sequence : undefined;
}
