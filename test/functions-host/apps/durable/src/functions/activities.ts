import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';

/** Where activities leave what they did, so that it outlives this process. */
const effects = process.env['SAMPLE_EFFECTS'] ?? '';

function note(line: string): void {
  if (effects !== '') appendFileSync(path.join(effects, 'effects.log'), `${line}\n`);
}

df.app.activity('echo', { handler: (value: unknown) => value });
df.app.activity('square', {
  handler: (value: number) => {
    note(`square ${value}`);
    return value * value;
  },
});
df.app.activity('noted', {
  handler: (label: string) => {
    note(label);
    return label;
  },
});
df.app.activity('nothing', { handler: () => undefined });
/** Begins, then waits until the test lets it end. */
df.app.activity('passGate', {
  handler: async (label: string) => {
    note(`begin ${label}`);
    while (!existsSync(path.join(effects, `open-${label}`))) await setTimeout(10);
    note(`end ${label}`);
    return `through ${label}`;
  },
});
/** Fails the first two times for a key; counts in a file, so that a kill does not reset it. */
df.app.activity('flaky', {
  handler: (key: string) => {
    const file = path.join(effects, `flaky-${key}`);
    appendFileSync(file, 'x');
    if (readFileSync(file).length <= 2) throw new Error(`flaky ${key}`);
    return `ok ${key}`;
  },
});
df.app.activity('fails', {
  handler: () => {
    throw new TypeError('boom');
  },
});
df.app.activity('startOther', {
  extraInputs: [df.input.durableClient()],
  handler: async (id: string, context: InvocationContext) =>
    df.getClient(context).startNew('three', { instanceId: id }),
});
