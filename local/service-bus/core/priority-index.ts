/** A set of keys ordered by a number each; a key appears once. */
export interface PriorityIndex {
  readonly size: number;
  /** Adds `key`, or moves it when it is already there. */
  set(key: number, priority: number): void;
  delete(key: number): boolean;
  has(key: number): boolean;
  /** The key with the lowest priority. */
  first(): number | undefined;
  /** The lowest priority, or Infinity when empty. */
  firstPriority(): number;
}

/**
 * A binary heap that knows where each key is, so that deleting is O(log n) and nothing stale stays behind: a queue that completes
 * ten thousand messages a second would otherwise keep an hour of dead time-to-live entries.
 */
export function createPriorityIndex(): PriorityIndex {
  const keys: number[] = [];
  const priorities: number[] = [];
  const positions = new Map<number, number>();

  const place = (position: number, key: number, priority: number): void => {
    keys[position] = key;
    priorities[position] = priority;
    positions.set(key, position);
  };
  const priorityAt = (position: number): number => priorities[position] ?? Number.POSITIVE_INFINITY;

  const siftUp = (start: number, key: number, priority: number): void => {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (priorityAt(parent) <= priority) break;
      place(position, keys[parent] as number, priorityAt(parent));
      position = parent;
    }
    place(position, key, priority);
  };
  const siftDown = (start: number, key: number, priority: number): void => {
    let position = start;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= keys.length) break;
      if (child + 1 < keys.length && priorityAt(child + 1) < priorityAt(child)) child += 1;
      if (priorityAt(child) >= priority) break;
      place(position, keys[child] as number, priorityAt(child));
      position = child;
    }
    place(position, key, priority);
  };
  const settle = (position: number, key: number, priority: number): void => {
    if (position > 0 && priorityAt((position - 1) >> 1) > priority) siftUp(position, key, priority);
    else siftDown(position, key, priority);
  };

  return {
    get size() {
      return keys.length;
    },
    set(key, priority) {
      const position = positions.get(key);
      if (position === undefined) siftUp(keys.length, key, priority);
      else settle(position, key, priority);
    },
    delete(key) {
      const position = positions.get(key);
      if (position === undefined) return false;
      positions.delete(key);
      const lastKey = keys.pop() as number;
      const lastPriority = priorities.pop() as number;
      if (lastKey !== key) settle(position, lastKey, lastPriority);
      return true;
    },
    has: (key) => positions.has(key),
    first: () => keys[0],
    firstPriority: () => priorityAt(0),
  };
}
