import { lockDataFile } from '../../shared/store/sqlite/data-lock.ts';
import type { Layout } from '../data/layout.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import { type Running, readRunning } from './running-file.ts';

/** One supervisor a data directory. The lock ends with the process that holds it, however that ends. */
export function takeSupervisorLock(layout: Layout): () => void {
  try {
    return lockDataFile(layout.lock);
  } catch (error) {
    const pid = readRunning(layout)?.pid;
    if (!/another process/.test(messageOf(error))) throw error;
    throw new CommandFailure(
      `The factory runs already on ${layout.root} (pid ${pid ?? 'unknown'}). Use it, end it with "factory down", or give another --data.`,
    );
  }
}

/** What runs on the data directory now, or undefined when nothing does: a file left by a killed supervisor does not count. */
export function supervisorOf(layout: Layout): Running | undefined {
  try {
    lockDataFile(layout.lock)();
    return undefined;
  } catch (error) {
    if (!/another process/.test(messageOf(error))) throw error;
    return readRunning(layout);
  }
}
