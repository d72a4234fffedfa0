import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/application/declaration.ts';
import { readCtrf } from './ctrf.ts';
import { type ReportedTest, readJunit } from './junit.ts';
import { readTap } from './tap.ts';

export type ReportFormat = Exclude<Check['report'], 'none'>;

const READERS: Readonly<Record<ReportFormat, (text: string) => ReportedTest[] | undefined>> = {
  junit: readJunit,
  tap: readTap,
  ctrf: readCtrf,
};

const reportBytes = 32 * 1024 * 1024;

/**
 * Reads the report a runner left in a directory that only this run could write to. Tested code shares the runner's sandbox and
 * could have written there too, so more than the one expected regular file refuses the report.
 */
export async function readReport(
  directory: string,
  name: string,
  format: ReportFormat,
): Promise<{ readonly tests: readonly ReportedTest[] } | { readonly fault: string }> {
  const found = await readdir(directory);
  if (!found.includes(name)) return { fault: 'the command wrote no report' };
  if (found.length > 1) return { fault: `${found.length} files are where one report is expected` };
  const text = await readRegularFile(join(directory, name));
  if (text === undefined) return { fault: `the report is not a regular file of at most ${reportBytes} bytes` };
  const tests = READERS[format](text);
  return tests === undefined ? { fault: `the report is not one whole ${format} document` } : { tests };
}

async function readRegularFile(path: string): Promise<string | undefined> {
  // A link could name any file of the worker; a pipe would never end.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat().then((status) => (status.isFile() ? status : { size: reportBytes + 1 }));
    if (size > reportBytes) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
