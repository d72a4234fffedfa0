import type { Clock } from './clock.ts';
import type { Measured } from './figures.ts';
import { waitsOf } from './figures.ts';
import { createGauge } from './gauge.ts';
import { createHistogram } from './histogram.ts';
import type { Process, Waitable } from './process.ts';

/** A number of equal places, taken first come first served. Waiting for it takes one. */
export type Station = Waitable &
  Measured & {
    /** Takes several places at once: whoever needs two never holds one while it waits for the other. */
    several(places: number): Waitable;
    /** Gives places back. */
    leave(places?: number): void;
    /** Places taken now. */
    taken(): number;
  };

type Waiting = { readonly resume: () => void; readonly since: number; readonly places: number };

/** Entries of the queue that have gone are cut off when there are this many. */
const CUT_OFF = 1_024;

export function createStation(clock: Clock, places: number): Station {
  const waits = createHistogram();
  const queued = createGauge(clock);
  const busy = createGauge(clock);
  let queue: Waiting[] = [];
  let head = 0;

  function take(wanted: number, resume: () => void): boolean {
    if (wanted > places) throw new Error(`${wanted} places of ${places} were asked for`);
    if (queued.level() === 0 && busy.level() + wanted <= places) {
      busy.add(wanted);
      waits.add(0);
      return true;
    }
    queue.push({ resume, since: clock.now(), places: wanted });
    queued.add(1);
    return false;
  }

  /** Lets in whoever fits, from the front: a large one is never overtaken for ever. */
  function admit(): void {
    for (let first = queue[head]; first !== undefined && busy.level() + first.places <= places; first = queue[head]) {
      head += 1;
      busy.add(first.places);
      queued.add(-1);
      waits.add(clock.now() - first.since);
      clock.after(0, first.resume);
    }
    if (head >= CUT_OFF) {
      queue = queue.slice(head);
      head = 0;
    }
  }

  return {
    wait: (resume) => take(1, resume),
    several: (wanted) => ({ wait: (resume) => take(wanted, resume) }),
    leave(given = 1) {
      busy.add(-given);
      admit();
    },
    taken: busy.level,
    figures: () => ({
      ...waitsOf(waits),
      queueMean: queued.mean(),
      queueMost: queued.most(),
      utilisation: busy.mean() / places,
    }),
    clear() {
      for (const each of [waits, queued, busy]) each.clear();
    },
  };
}

/** Takes a place of the station for so many milliseconds. */
export function* use(station: Station, ms: number): Process {
  yield station;
  yield ms;
  station.leave();
}
