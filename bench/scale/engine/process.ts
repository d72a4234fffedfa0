import type { Clock } from './clock.ts';

/** Something to wait for. `wait` answers true when there is nothing to wait for; otherwise it calls `resume` later, once. */
export type Waitable = { wait(resume: () => void): boolean };

/** A life in the simulation: it yields how many milliseconds pass, or what it waits for. */
export type Process = Generator<number | Waitable, void, void>;

/** Lets a process live from now on. */
export function start(clock: Clock, process: Process): void {
  const go = (): void => {
    for (let step = process.next(); step.done !== true; step = process.next()) {
      const { value } = step;
      if (typeof value === 'number') {
        if (value === 0) continue;
        clock.after(value, go);
        return;
      }
      if (!value.wait(go)) return;
    }
  };
  go();
}

/** Something that happens once; whoever waits for it afterwards goes on at once. */
export type Signal = Waitable & { fire(): void };

export function createSignal(): Signal {
  let fired = false;
  const waiting: (() => void)[] = [];
  return {
    wait(resume) {
      if (!fired) waiting.push(resume);
      return fired;
    },
    fire() {
      fired = true;
      for (const resume of waiting.splice(0)) resume();
    },
  };
}
