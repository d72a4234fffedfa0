import { createReadStream } from 'node:fs';
import { readJson } from '../../intake/json.ts';
import { ExportMalformed } from './malformed.ts';
import { type ExportLine, exportLine } from './record.ts';

/** An event of 16 KiB, escaped twice, with room. An anchor with all its heads is the longest line. */
const LINE_BYTES = 8 * 1024 * 1024;
const DEPTH = 8;
const LINE_FEED = 0x0a;

/**
 * The records of an export, one a line, in order. Lines end with a line feed and nothing else (JSON text may hold every other separator of lines);
 * each is UTF-8 and JSON that names no key twice, so that no two readers see two documents. Throws `ExportMalformed`, naming the line.
 */
export async function* readExport(file: string): AsyncGenerator<ExportLine> {
  let number = 0;
  for await (const bytes of lineBytes(file)) {
    number++;
    const read = readJson(bytes, DEPTH);
    if ('fault' in read) throw malformed(number, `is not one of its records: ${read.fault.message}`);
    const parsed = exportLine.safeParse(read.value);
    if (!parsed.success) throw malformed(number, 'is not one of its records.');
    if ((number === 1) !== (parsed.data.type === 'header'))
      throw new ExportMalformed(`Line ${number}: a header is the first line of an audit export, and only the first.`);
    yield parsed.data;
  }
  if (number === 0) throw new ExportMalformed('The audit export is empty.');
}

async function* lineBytes(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let length = 0;
  let number = 1;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]);
      number++;
      rest = [];
      length = 0;
      from = end + 1;
    }
    const left = chunk.subarray(from);
    length += left.byteLength;
    if (length > LINE_BYTES)
      throw new ExportMalformed(`Line ${number} of the audit export has more than ${LINE_BYTES} bytes.`);
    if (left.byteLength > 0) rest.push(left);
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

const malformed = (line: number, why: string): ExportMalformed =>
  new ExportMalformed(`Line ${line} of the audit export ${why} Export it again; nothing was verified.`);
