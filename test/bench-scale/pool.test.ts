import { describe, expect, it } from 'vitest';
import { createClock } from '../../bench/scale/engine/clock.ts';
import { createHistogram } from '../../bench/scale/engine/histogram.ts';
import type { Process } from '../../bench/scale/engine/process.ts';
import { createPool, type PoolShape } from '../../bench/scale/simulation/pool.ts';

const MINUTE = 60_000;
const shape: PoolShape = {
  most: 5,
  standing: 0,
  lanes: 1,
  leases: 256,
  startMs: 20_000,
  intervalMs: 15_000,
  messagesEach: 1,
  hintsHeld: true,
};

/** Works off jobs of a length that arrive at given minutes; answers when each ended, in minutes, and the pool. */
function workOff(over: Partial<PoolShape>, arrivals: readonly number[], minutes: number, until = 600) {
  const clock = createClock();
  const ages = createHistogram();
  const pool = createPool(clock, { ...shape, ...over }, ages);
  const ends: number[] = [];
  let working = 0;
  let most = 0;
  function* life(): Process {
    most = Math.max(most, ++working);
    yield minutes * MINUTE;
    working -= 1;
    ends.push(clock.now() / MINUTE);
  }
  for (const at of arrivals) clock.after(at * MINUTE, () => pool.submit(life));
  clock.run(until * MINUTE);
  return { pool, ends, ages, most };
}

describe('a pool of container executions', () => {
  it('starts an execution for a job when the scaler looks, and the job waits for that and for the start', () => {
    const { ends, ages, pool } = workOff({}, [0], 1);
    expect(ends).toEqual([(7_500 + 20_000) / MINUTE + 1]);
    expect(ages.count()).toBe(1);
    expect(pool.started()).toBe(1);
  });

  it('never works on more than its executions or its leases', () => {
    const many = Array.from({ length: 40 }, () => 0);
    expect(workOff({}, many, 1)).toMatchObject({ most: 5 });
    expect(workOff({ lanes: 4 }, many, 1)).toMatchObject({ most: 20 });
    expect(workOff({ lanes: 4, leases: 7 }, many, 1)).toMatchObject({ most: 7 });
    expect(workOff({ lanes: 4, leases: 7 }, many, 1).ends).toHaveLength(40);
  });

  it('an execution goes on claiming for ten minutes, so a backlog does not pay for a start each', () => {
    const { pool, ends } = workOff({ most: 1 }, [0, 0, 0, 0, 0, 0], 1);
    expect(ends).toHaveLength(6);
    expect(pool.started()).toBe(1);
  });

  it('keeps starting while hints are held; were they completed at the claim, a long job would keep the next one waiting', () => {
    const held = workOff({}, [0, 2], 60);
    const completed = workOff({ hintsHeld: false }, [0, 2], 60);
    expect(held.ends.at(-1)).toBeLessThan(64);
    // One runs and one waits: the scaler takes what runs off what it finds, and starts nothing for an hour.
    expect(completed.ends.at(-1)).toBeGreaterThan(115);
  });
});

describe('a pool of function instances', () => {
  it('an instance that is kept ready begins at once', () => {
    expect(workOff({ standing: 1 }, [1], 1).ends).toEqual([2]);
  });

  it('handed four messages but working on one, it makes three wait their turn', () => {
    const four = [1, 1, 1, 1];
    const functions = { most: 40, intervalMs: 2_000, startMs: 3_000, messagesEach: 4, standing: 1 };
    expect(workOff(functions, four, 1).ends).toEqual([2, 3, 4, 5]);
    expect(workOff({ ...functions, lanes: 4 }, four, 1).ends).toEqual([2, 2, 2, 2]);
  });
});
