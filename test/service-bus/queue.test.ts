import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delivery } from '../../local/service-bus/core/dispatch.ts';
import { createPriorityIndex } from '../../local/service-bus/core/priority-index.ts';
import type { QueueSettings } from '../../local/service-bus/core/queue-state.ts';
import { openQueues, type Queues } from '../../local/service-bus/core/queues.ts';
import { openSqliteStore, type SqliteStore } from '../../local/service-bus/store/sqlite-store.ts';
import { createManualClock, type ManualClock, temporaryDirectory } from './broker.ts';
import { deadLetter, type Model, type ModelMessage, receive, remove, settleTime } from './queue-model.ts';

const SETTINGS: QueueSettings = {
  name: 'jobs',
  lockDuration: 30_000,
  maxDeliveryCount: 3,
  defaultTimeToLive: 600_000,
  deadLetterOnExpiration: true,
  maxBytes: 1_000_000,
  maxMessages: 10_000,
};

interface Content {
  readonly body: number;
  readonly DeadLetterReason?: string;
}

const write = (content: Content): Uint8Array => Buffer.from(JSON.stringify(content));
const read = (content: Uint8Array): Content => JSON.parse(Buffer.from(content).toString());
const amendContent = (content: Uint8Array, changes: Readonly<Record<string, unknown>>): Uint8Array =>
  write({ ...read(content), ...changes });

/** The core over a real store, committed by hand. */
interface Core {
  readonly store: SqliteStore;
  readonly queues: Queues;
  readonly received: Delivery[];
  credit: number;
}

function openCore(directory: string, clock: ManualClock, settings: QueueSettings, maxBytes = 10_000_000): Core {
  const store = openSqliteStore({ directory, maxBytes, cacheBytes: 300, schedule: () => undefined });
  const queues = openQueues({ settings: [settings], store, clock, amendContent });
  const core: Core = { store, queues, received: [], credit: 0 };
  queues.find('jobs').subscribe({
    mode: 'peek-lock',
    credit: () => core.credit,
    deliver(delivery) {
      core.credit -= 1;
      core.received.push(delivery);
    },
  });
  return core;
}

/** A commit can lead to further changes. */
function flush({ store }: Core): void {
  for (let round = 0; round < 5; round++) store.flush();
}

type Operation =
  | { readonly kind: 'send'; readonly count: number; readonly timeToLive: number | undefined }
  | { readonly kind: 'receive'; readonly count: number }
  | { readonly kind: 'complete' | 'abandon' | 'deadLetter' | 'release' | 'renew'; readonly which: number }
  | { readonly kind: 'advance'; readonly milliseconds: number }
  | { readonly kind: 'restart' };

const operations = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        count: fc.integer({ min: 1, max: 5 }),
        timeToLive: fc.option(fc.constantFrom(10_000, 45_000), { nil: undefined }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('receive' as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom('complete', 'abandon', 'deadLetter', 'release', 'renew'),
        which: fc.nat(20),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('advance' as const),
        milliseconds: fc.constantFrom(1, 5_000, 20_000, 20_000, 30_000, 700_000),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  ),
  { minLength: 1, maxLength: 60 },
);

test('a queue does what a simple list does, restarts included', () => {
  const directory = temporaryDirectory();
  fc.assert(
    fc.property(operations, fc.boolean(), (list, deadLetterOnExpiration) => {
      rmSync(directory, { recursive: true, force: true });
      runAgainstModel(directory, list, { ...SETTINGS, deadLetterOnExpiration });
    }),
    { numRuns: 100 },
  );
});

function runAgainstModel(directory: string, list: readonly Operation[], settings: QueueSettings): void {
  const clock = createManualClock(1_000_000);
  const model: Model = { messages: [], deadLetters: [] };
  let core = openCore(directory, clock, settings);
  /** Every lock ever given, with what it was for: late uses must be refused. */
  let locks: { readonly token: string; readonly message: ModelMessage }[] = [];
  let body = 0;
  try {
    for (const operation of list) {
      step(operation);
      flush(core);
      compare();
    }
  } finally {
    core.queues.close();
    core.store.close();
  }

  function step(operation: Operation): void {
    const queue = core.queues.find('jobs');
    switch (operation.kind) {
      case 'send': {
        const bodies = Array.from({ length: operation.count }, () => body++);
        const failures: unknown[] = [];
        const { timeToLive } = operation;
        queue.enqueue(
          bodies.map((one) => ({ content: write({ body: one }), timeToLive })),
          (failure) => failures.push(failure),
        );
        expect(queue.counts().active + queue.counts().locked).toBe(model.messages.length); // not before it is on disk
        flush(core);
        expect(failures).toEqual([undefined]);
        const expiresAt = clock.now() + Math.min(timeToLive ?? Number.POSITIVE_INFINITY, settings.defaultTimeToLive);
        for (const one of bodies)
          model.messages.push({ body: one, expiresAt, deliveryCount: 0, lockedUntil: undefined });
        return;
      }
      case 'receive': {
        core.received.length = 0;
        core.credit = operation.count;
        queue.dispatch();
        core.credit = 0;
        const expected = receive(model, settings, clock.now(), operation.count);
        expect(core.received.map(({ content, deliveryCount }) => [read(content).body, deliveryCount])).toEqual(
          expected.map((message) => [message.body, message.deliveryCount]),
        );
        for (const [index, { lock }] of core.received.entries()) {
          locks.push({ token: lock!.token, message: expected[index]! });
        }
        return;
      }
      case 'advance':
        clock.advance(operation.milliseconds);
        settleTime(model, settings, clock.now());
        return;
      case 'restart':
        core.queues.close();
        core.store.close();
        core = openCore(directory, clock, settings);
        for (const message of model.messages) if (message.lockedUntil !== undefined) message.lockedUntil = clock.now();
        settleTime(model, settings, clock.now());
        clock.advance(0);
        locks = locks.map(({ token, message }) => ({ token, message: { ...message, lockedUntil: undefined } }));
        return;
      default:
        useLock(operation.kind, operation.which);
    }
  }

  function useLock(kind: 'complete' | 'abandon' | 'deadLetter' | 'release' | 'renew', which: number): void {
    const lock = locks[which % Math.max(1, locks.length)];
    if (lock === undefined) return;
    const queue = core.queues.find('jobs');
    const { token, message } = lock;
    const valid = model.messages.includes(message) && message.lockedUntil !== undefined && isNewest(lock);
    const results: unknown[] = [];
    const settled = (failure?: Error): void => void results.push(failure === undefined ? 'ok' : 'lost');
    if (kind === 'renew') {
      try {
        expect(queue.renewLock(token)).toBe(clock.now() + settings.lockDuration);
        settled();
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'BrokerError') throw error;
        settled(error);
      }
    } else if (kind === 'abandon') queue.abandon(token, { note: 1 }, settled);
    else if (kind === 'deadLetter') queue.deadLetter(token, { reason: 'asked', description: undefined }, settled);
    else queue[kind](token, settled);
    flush(core);
    expect(results).toEqual([valid ? 'ok' : 'lost']);
    if (!valid) return;
    if (kind === 'renew') message.lockedUntil = clock.now() + settings.lockDuration;
    else if (kind === 'complete') remove(model, message);
    else if (kind === 'deadLetter') deadLetter(model, message, 'asked');
    else {
      message.lockedUntil = undefined;
      if (kind === 'abandon') message.deliveryCount += 1;
      settleTime(model, settings, clock.now());
    }
  }

  function isNewest(lock: (typeof locks)[number]): boolean {
    return locks.findLast(({ message }) => message === lock.message) === lock;
  }

  function compare(): void {
    const queue = core.queues.find('jobs');
    const deadLetters = core.queues.find('jobs/$deadletterqueue');
    const locked = model.messages.filter((message) => message.lockedUntil !== undefined).length;
    expect(queue.counts()).toMatchObject({ active: model.messages.length - locked, locked });
    const shown = queue.peek(1, 1_000, 1_000_000);
    const expected = model.messages.filter((message) => message.expiresAt > clock.now());
    expect(shown.map(({ content, deliveryCount }) => [read(content).body, deliveryCount])).toEqual(
      expected.map((message) => [message.body, message.deliveryCount]),
    );
    const dead = deadLetters.peek(1, 1_000, 1_000_000).map(({ content, deliveryCount }) => {
      const { body: deadBody, DeadLetterReason: reason } = read(content);
      return { body: deadBody, reason, deliveryCount };
    });
    expect(dead).toEqual(model.deadLetters.toSorted((a, b) => a.body - b.body));
    const bytes = [...queue.peek(1, 1_000, 1_000_000)].reduce((sum, { content }) => sum + content.byteLength, 0);
    if (expected.length === model.messages.length) expect(queue.counts().size).toBe(bytes);
  }
}

test('the priority index gives what sorting gives', () => {
  const entry = fc.record({ key: fc.nat(30), priority: fc.option(fc.nat(50), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 200 }), (entries) => {
      const index = createPriorityIndex();
      const model = new Map<number, number>();
      for (const { key, priority } of entries) {
        if (priority === undefined) expect(index.delete(key)).toBe(model.delete(key));
        else {
          index.set(key, priority);
          model.set(key, priority);
        }
        expect(index.size).toBe(model.size);
        expect(index.firstPriority()).toBe(Math.min(...model.values()));
        const first = index.first();
        expect(first === undefined ? undefined : model.get(first)).toBe(
          first === undefined ? undefined : index.firstPriority(),
        );
      }
    }),
  );
});

test('a lock that ended while no timer ran is over: settlement and renewal are refused', () => {
  const clock = createManualClock();
  const core = openCore(temporaryDirectory(), clock, SETTINGS);
  const queue = core.queues.find('jobs');
  queue.enqueue([{ content: write({ body: 1 }), timeToLive: undefined }], () => undefined);
  flush(core);
  core.credit = 1;
  queue.dispatch();
  const [{ lock }] = core.received as [Delivery];
  clock.jump(30_000);
  const settled: unknown[] = [];
  queue.complete(lock!.token, (failure) => settled.push(failure));
  flush(core);
  expect(settled).toEqual([expect.objectContaining({ code: 'message-lock-lost' })]);
  expect(() => queue.renewLock(lock!.token)).toThrow(/lock/);
  expect(queue.counts()).toMatchObject({ active: 1, locked: 0 });
  core.queues.close();
  core.store.close();
});

/** A database that refuses to delete messages of one size, as a disk may: every time, or every other. */
function prepareRefusingStore(directory: string, size: number, condition = '1'): void {
  openSqliteStore({ directory, maxBytes: 10_000_000, cacheBytes: 0 }).close();
  const database = new DatabaseSync(join(directory, 'service-bus.sqlite'));
  const when = `old.size = ${size} and ${condition}`;
  database.exec(
    `create trigger refuse before delete on messages when ${when} begin select raise(abort, 'refused'); end`,
  );
  database.close();
}

test('a completion that the disk refuses is reported, its lock stays, and others of the same commit are done', () => {
  const directory = temporaryDirectory();
  const refused = write({ body: 1_234_567 });
  prepareRefusingStore(directory, refused.byteLength);
  const core = openCore(directory, createManualClock(), SETTINGS);
  const queue = core.queues.find('jobs');
  const contents = [write({ body: 1 }), refused, write({ body: 2 }), write({ body: 3 })];
  queue.enqueue(
    contents.map((content) => ({ content, timeToLive: undefined })),
    () => undefined,
  );
  flush(core);
  core.credit = 4;
  queue.dispatch();
  flush(core);
  queue.release(core.received[3]!.lock!.token, () => undefined);
  const settled: (string | undefined)[] = [];
  for (const { lock } of core.received.slice(0, 3))
    queue.complete(lock!.token, (failure) => settled.push(failure?.message));
  flush(core);
  expect(settled).toEqual([undefined, expect.stringContaining('(refused)'), undefined]);
  expect(queue.counts()).toMatchObject({ active: 1, locked: 1 });
  const again: unknown[] = [];
  queue.abandon(core.received[1]!.lock!.token, {}, (failure) => again.push(failure));
  flush(core);
  expect(again).toEqual([undefined]);
  expect(queue.counts()).toMatchObject({ active: 2, locked: 0 });
  core.queues.close();
  core.store.close();
  const next = openCore(directory, createManualClock(), SETTINGS);
  const left = next.queues.find('jobs').peek(1, 10, 10_000);
  expect(left.map(({ content, deliveryCount }) => [read(content).body, deliveryCount])).toEqual([
    [1_234_567, 1],
    [3, 0],
  ]);
  next.queues.close();
  next.store.close();
});

test('properties that cannot be encoded fail the settlement, and the lock stays', () => {
  const core = openCore(temporaryDirectory(), createManualClock(), { ...SETTINGS, maxDeliveryCount: 1 });
  const queue = core.queues.find('jobs');
  queue.enqueue([{ content: write({ body: 1 }), timeToLive: undefined }], () => undefined);
  flush(core);
  core.credit = 1;
  queue.dispatch();
  const { token } = core.received[0]!.lock!;
  const failures: unknown[] = [];
  queue.abandon(token, { note: 1n }, (failure) => failures.push(failure));
  queue.deadLetter(token, { reason: 1n, description: undefined }, (failure) => failures.push(failure));
  expect(failures).toEqual([expect.any(TypeError), expect.any(TypeError)]);
  expect(queue.counts()).toMatchObject({ active: 0, locked: 1 });
  queue.complete(token, (failure) => failures.push(failure));
  flush(core);
  expect(failures.at(-1)).toBeUndefined();
  core.queues.close();
  core.store.close();
});

test('an expired message that the disk refuses to drop is tried again', () => {
  const directory = temporaryDirectory();
  const content = write({ body: 1_234_567 });
  prepareRefusingStore(directory, content.byteLength, 'random() % 2 = 0');
  const clock = createManualClock();
  const core = openCore(directory, clock, { ...SETTINGS, deadLetterOnExpiration: false });
  const queue = core.queues.find('jobs');
  queue.enqueue(
    Array.from({ length: 20 }, () => ({ content, timeToLive: 1_000 })),
    () => undefined,
  );
  flush(core);
  for (let round = 0; round < 60; round++) {
    clock.advance(1_000);
    flush(core);
  }
  expect(queue.counts()).toEqual({ active: 0, locked: 0, size: 0 });
  core.queues.close();
  core.store.close();
});

test('a full disk: the send is refused and nothing of it stays, the queue goes on, and a completion makes room', () => {
  const clock = createManualClock();
  const core = openCore(temporaryDirectory(), clock, SETTINGS, 64 * 4_096);
  const queue = core.queues.find('jobs');
  const results: (string | undefined)[] = [];
  const sendBatch = (): void => {
    const content = Buffer.from(JSON.stringify({ body: 1, filler: 'x'.repeat(10_000) }));
    queue.enqueue(
      [1, 2, 3].map(() => ({ content, timeToLive: undefined })),
      (failure) => results.push(failure?.message),
    );
    flush(core);
  };
  for (let round = 0; round < 20; round++) sendBatch();
  const stored = results.filter((failure) => failure === undefined).length;
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(20);
  expect(results.at(-1)).toMatch(
    /could not write to .*service-bus\.sqlite \(database or disk is full\)\. Nothing of this was stored/,
  );
  expect(queue.counts()).toMatchObject({ active: stored * 3, size: queue.counts().active * 10_022 });
  expect(queue.peek(1, 1_000, 10_000_000)).toHaveLength(stored * 3);
  core.credit = 3;
  queue.dispatch();
  flush(core);
  const settled: unknown[] = [];
  for (const { lock } of core.received) queue.complete(lock!.token, (failure) => settled.push(failure));
  flush(core);
  expect(settled).toEqual([undefined, undefined, undefined]);
  sendBatch();
  expect(results.at(-1)).toBeUndefined();
  core.queues.close();
  core.store.close();
});

test('a backlog that expires together is disposed of a bounded number at a time', () => {
  const clock = createManualClock();
  const core = openCore(temporaryDirectory(), clock, SETTINGS);
  const queue = core.queues.find('jobs');
  const messages = Array.from({ length: 1_000 }, (_, body) => ({ content: write({ body }), timeToLive: 1_000 }));
  queue.enqueue(messages, () => undefined);
  flush(core);
  clock.advance(1_000);
  flush(core);
  expect(core.queues.find('jobs/$DeadLetterQueue').counts().active).toBe(256);
  for (let round = 0; round < 10; round++) {
    flush(core);
    clock.advance(0);
  }
  expect(queue.counts()).toEqual({ active: 0, locked: 0, size: 0 });
  expect(core.queues.find('jobs/$DeadLetterQueue').counts().active).toBe(1_000);
  core.queues.close();
  core.store.close();
});
