/** Virtual time in milliseconds from the start of a run. Nothing here ever waits for real. */
export type Clock = {
  now(): number;
  /** Runs `act` after so many milliseconds; acts of one moment run in the order they were asked for. */
  after(ms: number, act: () => void): void;
  /** Runs what is due up to and including `until`; answers how many acts that were. */
  run(until: number): number;
};

type Due = { readonly at: number; readonly order: number; readonly act: () => void };

/** Acts of one run: a model that makes work faster than time goes by is a fault, not a scenario. */
const ACTS = 50_000_000;

const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export function createClock(): Clock {
  const heap: Due[] = [];
  let now = 0;
  let order = 0;

  function push(due: Due): void {
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  function pop(): Due | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const [child, index] = b !== undefined && before(b, a) ? [b, left + 1] : [a, left];
      if (!before(child, last)) break;
      heap[at] = child;
      at = index;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    after(ms, act) {
      if (!(ms >= 0)) throw new Error(`time goes forward: ${ms} ms was asked for at ${now}`);
      push({ at: now + ms, order: order++, act });
    },
    run(until) {
      let acts = 0;
      for (let next = heap[0]; next !== undefined && next.at <= until; next = heap[0]) {
        if (++acts > ACTS) throw new Error(`more than ${ACTS} acts before ${until} ms: the model never rests`);
        pop();
        now = next.at;
        next.act();
      }
      now = Math.max(now, until);
      return acts;
    },
  };
}
