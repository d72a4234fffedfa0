import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { BUNDLE_FILE_BYTES, verifyBundleFile } from '../../shared/evidence/bundle-file.ts';
import { type Trust, trustSchema } from '../../shared/evidence/signing/trust.ts';
import { readJson } from '../../shared/intake/json.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, plainText, print, printJson } from '../output/terminal.ts';

/** The keys of a trust file, or undefined when none is given. */
export function trustFrom(file: string | undefined): Trust | undefined {
  if (file === undefined) return undefined;
  const read = readJson(readFileSync(file), 8);
  const parsed = trustSchema.safeParse('fault' in read ? undefined : read.value);
  if (!parsed.success)
    throw new CommandFailure(
      `${file} is no trust file (factory-trust/v1). Get one with "factory audit keys --out FILE".`,
    );
  return parsed.data;
}

/** Exit code of a bundle that holds, without all of the artifacts it refers to. */
const INCOMPLETE = 3;
const ABSENT_SHOWN = 10;

/**
 * Verifies a bundle. Exit codes: 0 when it holds and every artifact it refers to is in the file, 3 when it holds and some are not (what
 * is larger than 64 KiB never is), 1 when it does not hold.
 */
export async function verifyBundle(file: string, options: { keys?: string }, command: Command): Promise<void> {
  const keys = trustFrom(options.keys);
  if (statSync(file).size > BUNDLE_FILE_BYTES)
    throw new CommandFailure(`${file} has more than ${BUNDLE_FILE_BYTES} bytes: it is no evidence bundle.`);
  const verdict = verifyBundleFile(readFileSync(file, 'utf8'), keys === undefined ? {} : { keys });
  const absent = verdict.artifacts.absent.length;
  if (!verdict.ok) process.exitCode = 1;
  else if (absent > 0) process.exitCode = INCOMPLETE;
  if (globalOptions(command).json) return printJson(verdict);
  const heading = !verdict.ok ? 'NOT verified' : absent > 0 ? 'verified, but not complete:' : 'verified';
  print(`${bold(heading)} ${file}`);
  for (const { pointer, message } of verdict.faults) print(`  ${pointer}: ${plainText(message)}`);
  // Of a file that is no bundle, or whose signature does not hold, nothing more is known.
  if (verdict.facts === undefined) return;
  if (verdict.signedBy.length > 0) print(`  signed by ${verdict.signedBy.join(', ')}`);
  print(`  ${verdict.artifacts.checked.length} artifacts have their digests, ${absent} are not in the file`);
  if (absent > 0) {
    for (const digest of verdict.artifacts.absent.slice(0, ABSENT_SHOWN)) print(`    ${digest}`);
    if (absent > ABSENT_SHOWN) print(`    and ${absent - ABSENT_SHOWN} more`);
    print(dim('  what they hold was not looked at: read them from the plane, GET /api/v1/artifacts/DIGEST'));
  }
  if (verdict.trust === 'from_bundle')
    print(dim('  by the keys inside the bundle, which prove no more than that it agrees with itself; give --keys'));
}
