import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CommandFailure } from '../failure.ts';
import { type Layout, layoutOf } from './layout.ts';

/** Version of the arrangement of a data directory. The databases in it have versions of their own. */
const VERSION = 1;

const marker = z.object({ format: z.literal('agent-factory-data'), version: z.int().min(1) });

/** The data directory, made when it is missing. Refuses a directory of something else, and one of a newer program. */
export function openDataDirectory(dataDirectory: string): Layout {
  const layout = layoutOf(dataDirectory);
  makeDirectory(layout.root);
  if (!isDataDirectory(layout)) {
    const inside = readdirSync(layout.root);
    if (inside.length > 0)
      throw new CommandFailure(
        `${layout.root} is not empty and is no data directory of the factory (it has ${inside.slice(0, 3).join(', ')} …). Give an empty or a new one with --data.`,
      );
    writeFileSync(layout.marker, `${JSON.stringify({ format: 'agent-factory-data', version: VERSION })}\n`, {
      mode: 0o600,
    });
  }
  for (const folder of [layout.plane, layout.logs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return layout;
}

/** With what is missing above it. Node's own recursive form never ends where a file system takes no directories, as below /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(path.dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
}

/** The data directory, which must be there already. */
export function existingDataDirectory(dataDirectory: string): Layout {
  const layout = layoutOf(dataDirectory);
  if (isDataDirectory(layout)) return layout;
  throw new CommandFailure(
    `${layout.root} is no data directory of the factory. Start one with "factory up", or name yours with --data.`,
  );
}

function isDataDirectory(layout: Layout): boolean {
  let text: string;
  try {
    text = readFileSync(layout.marker, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
  const parsed = marker.safeParse(asJson(text));
  if (!parsed.success)
    throw new CommandFailure(
      `${layout.marker} is damaged: it should be {"format":"agent-factory-data","version":${VERSION}}.`,
    );
  if (parsed.data.version > VERSION)
    throw new CommandFailure(
      `The data directory ${layout.root} has version ${parsed.data.version}; this program knows up to ${VERSION}. Use the newer program it was made with, or another --data.`,
    );
  return true;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
