import { describe, expect, it } from 'vitest';
import { chance, meanAround } from '../../bench/scale/engine/chance.ts';
import { createClock } from '../../bench/scale/engine/clock.ts';
import type { Figures } from '../../bench/scale/engine/figures.ts';
import { createHistogram } from '../../bench/scale/engine/histogram.ts';
import { createMeter } from '../../bench/scale/engine/meter.ts';
import { createSignal, type Process, start } from '../../bench/scale/engine/process.ts';
import { createStation, use } from '../../bench/scale/engine/station.ts';

const HOUR = 3_600_000;

/** Random arrivals and random service at a station: what queueing theory knows the answer for. */
function queueOf(places: number, load: number, seed = 1): Figures & { readonly perMs: number } {
  const clock = createClock();
  const random = chance(seed);
  const station = createStation(clock, places);
  const meanService = 100;
  const meanGap = meanService / (places * load);
  function* arrive(): Process {
    for (let n = 0; n < 60_000; n++) {
      yield random.exponential(meanGap);
      start(clock, use(station, random.exponential(meanService)));
    }
  }
  start(clock, arrive());
  clock.run(60_000 * meanGap * 2);
  const figures = station.figures();
  return { ...figures, perMs: figures.arrivals / clock.now() };
}

/** Erlang's C: the share of arrivals that wait at so many places (queueing theory, M/M/c). */
function erlangC(places: number, load: number): number {
  const offered = places * load;
  let term = 1;
  let sum = 1;
  for (let n = 1; n < places; n++) {
    term *= offered / n;
    sum += term;
  }
  const last = (term * offered) / places / (1 - load);
  return last / (sum + last);
}

describe('a station', () => {
  it.each([
    [1, 0.5],
    [1, 0.8],
    [4, 0.8],
    [20, 0.9],
  ])('of %i places at a load of %d waits as theory says', (places, load) => {
    const runs = [1, 2, 3].map((seed) => queueOf(places, load, seed));
    const waitMean = runs.reduce((sum, run) => sum + run.waitMean, 0) / runs.length;
    const expected = (erlangC(places, load) * 100) / (places * (1 - load));
    expect(waitMean / expected).toBeGreaterThan(0.88);
    expect(waitMean / expected).toBeLessThan(1.12);
    for (const { utilisation } of runs) expect(utilisation).toBeLessThan(1);
  });

  it("keeps Little's law: the mean queue, taken over time, is arrivals by mean wait", () => {
    for (const load of [0.3, 0.7, 0.95]) {
      const { queueMean, waitMean, perMs } = queueOf(3, load, 7);
      expect(queueMean).toBeCloseTo(perMs * waitMean, 6);
    }
  });

  it('serves in order, and lets a large one not be overtaken for ever', () => {
    const clock = createClock();
    const station = createStation(clock, 2);
    const order: string[] = [];
    function* one(name: string, places: number, ms: number): Process {
      yield station.several(places);
      order.push(`${name} at ${clock.now()}`);
      yield ms;
      station.leave(places);
    }
    for (const [name, places] of [
      ['a', 1],
      ['two', 2],
      ['b', 1],
    ] as const)
      start(clock, one(name, places, 10));
    clock.run(100);
    expect(order).toEqual(['a at 0', 'two at 10', 'b at 20']);
    expect(station.figures().queueMost).toBe(2);
  });

  it('refuses what can never be served, and a place given back that nobody had', () => {
    const station = createStation(createClock(), 2);
    expect(() => station.several(3).wait(() => {})).toThrow('3 places of 2');
    expect(() => station.leave()).toThrow('more left than came');
  });

  it('forgets its warm-up when it is cleared, but not who waits', () => {
    const clock = createClock();
    const station = createStation(clock, 1);
    for (let n = 0; n < 3; n++) start(clock, use(station, 10));
    clock.run(5);
    station.clear();
    clock.run(15);
    expect(station.figures()).toMatchObject({ arrivals: 1, utilisation: 1, queueMost: 2 });
  });
});

describe('a meter', () => {
  it('lets through its rate in the long run, and a burst at once', () => {
    const clock = createClock();
    const meter = createMeter(clock, 10, 2);
    expect(Array.from({ length: 22 }, () => meter.take(1)).map(Math.round)).toEqual([
      ...Array.from({ length: 20 }, () => 0),
      100,
      200,
    ]);
    clock.run(HOUR);
    expect(meter.take(1)).toBe(0);
    expect(meter.figures().utilisation).toBeCloseTo(23 / 36_000, 6);
  });

  it('never lets anybody wait less than nothing, and charges large takings by their size', () => {
    const clock = createClock();
    const meter = createMeter(clock, 100, 0);
    expect(meter.take(50)).toBe(500);
    clock.run(400);
    expect(meter.take(1)).toBe(110);
    clock.run(10_000);
    expect(meter.take(1)).toBe(10);
  });
});

describe('time', () => {
  it('runs what is due in order, and equal moments in the order asked for', () => {
    const clock = createClock();
    const random = chance(3);
    const seen: number[] = [];
    const times = Array.from({ length: 2_000 }, () => Math.floor(random.next() * 500));
    times.forEach((at, index) => {
      clock.after(at, () => seen.push(at * 10_000 + index));
    });
    expect(clock.run(499)).toBe(2_000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(clock.now()).toBe(499);
    expect(() => clock.after(-1, () => {})).toThrow('time goes forward');
    expect(() => clock.after(Number.NaN, () => {})).toThrow('time goes forward');
  });

  it('a signal wakes who waits, and holds nobody who comes later', () => {
    const clock = createClock();
    const signal = createSignal();
    const woken: number[] = [];
    function* wait(before: number): Process {
      yield before;
      yield signal;
      woken.push(clock.now());
    }
    for (const before of [0, 0, 50]) start(clock, wait(before));
    clock.after(20, signal.fire);
    clock.run(100);
    expect(woken).toEqual([20, 20, 50]);
  });
});

it('chance is the same for the same seed, and has the means it says', () => {
  const [a, b, other] = [chance(9), chance(9), chance(10)];
  const draws = Array.from({ length: 20_000 }, () => a.around(100, 0.6));
  expect(draws.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => b.around(100, 0.6)));
  expect(draws[0]).not.toBe(other.around(100, 0.6));
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  expect(mean / meanAround(100, 0.6)).toBeCloseTo(1, 1);
  expect(Math.min(...draws)).toBeGreaterThan(0);
});

it('a histogram answers a percentile within its two percent, and refuses a negative duration', () => {
  const histogram = createHistogram();
  for (let value = 1; value <= 10_000; value++) histogram.add(value);
  for (const share of [0.01, 0.5, 0.99]) {
    expect(histogram.percentile(share) / (share * 10_000)).toBeGreaterThanOrEqual(1);
    expect(histogram.percentile(share) / (share * 10_000)).toBeLessThan(1.021);
  }
  expect(() => histogram.add(-1)).toThrow('-1 ms');
  expect(createHistogram().percentile(0.5)).toBe(0);
});
