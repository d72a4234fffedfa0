import { one } from '../store/command.ts';
import { artifactOfObject } from '../store/platform/sealed.ts';
import type { Store } from '../store/store.ts';
import type { ObjectStore } from './objects/object-store.ts';

/** An object is written before its row: until it is this old a transaction may still be about to refer to it. */
const YOUNG_MS = 60 * 60 * 1000;

/**
 * Removes objects that no artifact's row names and that are over an hour old: what crashes and lost races left. Objects that a row names are
 * never touched, whatever their age. Answers how many were looked at and removed.
 */
export async function collectObjects(
  store: Store,
  objects: ObjectStore,
  now: number,
): Promise<{ readonly seen: number; readonly removed: number }> {
  let seen = 0;
  let removed = 0;
  for await (const object of objects.list()) {
    seen++;
    if (object.modifiedAt > now - YOUNG_MS) continue;
    const owner = await store.read('platform.artifactOfObject', () => one(artifactOfObject({ object: object.id })));
    if (owner !== undefined) continue;
    await objects.delete(object.id);
    removed++;
  }
  return { seen, removed };
}
