import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../local/functions-host/store/database.ts';
import { openSqliteStore as openBrokerStore } from '../../local/service-bus/store/sqlite-store.ts';
import { newId } from '../../shared/domain/ids.ts';
import { insertApplication, readApplication } from '../../shared/store/applications/applications.ts';
import { one, writeOne } from '../../shared/store/command.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import { applicationRow, temporaryDirectory, tenant } from './fixture.ts';

const ROWS = 120;
const PAGE = 4096;

/** Each store with something in it, closed: its file, and what opens it again and reads everything back. */
const applications = Array.from({ length: ROWS }, (_, index) => ({
  ...applicationRow(`shop-${index}`),
  id: newId('application', index),
}));

type Subject = { readonly file: string; readonly open: () => Promise<void> };

async function planeStore(directory: string): Promise<Subject> {
  const file = path.join(directory, 'plane.sqlite');
  const store = openSqliteStore({ file });
  for (const row of applications) await store.run('insert', () => writeOne(insertApplication(row)));
  await store.close();
  return {
    file,
    async open() {
      const again = openSqliteStore({ file });
      try {
        for (const row of applications) {
          const found = await again.read('read', () => one(readApplication({ tenant, application: row.id })));
          expect(found?.name).toBe(row.name);
        }
      } finally {
        await again.close();
      }
    },
  };
}

async function hostStore(directory: string): Promise<Subject> {
  const database = openDatabase(directory);
  const insert = database.prepare(
    "insert into instances (id, execution_id, name, version, status, created_at, updated_at) values (?, ?, 'line', '1', 'Running', ?, ?)",
  );
  for (let index = 0; index < ROWS; index++) insert.run(`instance-${index}`, `execution-${index}`, index, index);
  database.close();
  return {
    file: path.join(directory, 'functions-host.sqlite'),
    async open() {
      const again = openDatabase(directory);
      try {
        const rows = again.prepare('select id, created_at from instances order by created_at').all();
        expect(rows.map((row) => row['id'])).toEqual(Array.from({ length: ROWS }, (_, index) => `instance-${index}`));
      } finally {
        again.close();
      }
    },
  };
}

async function brokerStore(directory: string): Promise<Subject> {
  const options = { directory, maxBytes: 100_000_000, cacheBytes: 0 };
  const store = openBrokerStore(options);
  const queue = store.queueId('jobs');
  const records = Array.from({ length: ROWS }, (_, index) => ({
    sequenceNumber: store.nextSequenceNumber(),
    enqueuedAt: index,
    expiresAt: Number.POSITIVE_INFINITY,
    deliveryCount: 0,
    locked: false,
    deadLetterSource: undefined,
    size: 10,
    content: Buffer.from(`message-${index}`),
  }));
  await new Promise((resolve) => store.write({ kind: 'insert', queueId: queue, records }, resolve));
  store.close();
  return {
    file: path.join(directory, 'service-bus.sqlite'),
    async open() {
      const again = openBrokerStore(options);
      try {
        expect([...again.load(queue)].map((message) => message.enqueuedAt)).toEqual(records.map((_, index) => index));
      } finally {
        again.close();
      }
    },
  };
}

const KINDS = { plane: planeStore, host: hostStore, broker: brokerStore };

/** Numbers that are the same in each run. */
function* seeded(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

/** It is refused in words that name the file and what to do; an open that passes has read everything back right. */
async function refusedOrRight({ file, open }: Subject): Promise<'refused' | 'right'> {
  try {
    await open();
    return 'right';
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    expect(message).toContain(file);
    expect(message).toMatch(/damaged|database of another program|newer/);
    expect(message).toMatch(/in its place|Give the broker|newer/);
    return 'refused';
  }
}

describe.each(Object.entries(KINDS))('the %s store, damaged', (_, make) => {
  async function damaged(damage: (file: string) => void): Promise<'refused' | 'right'> {
    const directory = temporaryDirectory();
    const subject = await make(directory);
    damage(subject.file);
    return await refusedOrRight(subject);
  }

  test('is refused with its header destroyed', async () => {
    expect(await damaged((file) => write(file, 0, Buffer.alloc(64, 0x5a)))).toBe('refused');
  });

  test('is refused when it is another file', async () => {
    expect(await damaged((file) => writeFileSync(file, 'not a database, but long enough to be one '.repeat(10)))).toBe(
      'refused',
    );
  });

  test.each([1, 50, 99, 3_000, PAGE + 7, 3 * PAGE])('is refused, cut off after %i bytes', async (size) => {
    expect(await damaged((file) => truncateSync(file, size))).toBe('refused');
  });

  test('is refused with a page torn in its middle', async () => {
    expect(
      await damaged((file) => {
        for (let page = 1; page * PAGE < statSync(file).size; page++) write(file, page * PAGE, Buffer.alloc(512, 0xff));
      }),
    ).toBe('refused');
  });

  test('is refused or right, with each page in turn overwritten at its head', async () => {
    const directory = temporaryDirectory();
    const subject = await make(directory);
    const { size } = statSync(subject.file);
    const sound = path.join(directory, 'sound');
    copyFileSync(subject.file, sound);
    const random = seeded(7);
    const seen = { refused: 0, right: 0 };
    for (let page = 0; page * PAGE < size; page++) {
      copyFileSync(sound, subject.file);
      for (const end of ['-wal', '-shm']) rmSync(`${subject.file}${end}`, { force: true });
      // The head of a page says what it is and where its cells are.
      const at = page * PAGE + (page === 0 ? 100 : 0);
      write(subject.file, at, Buffer.from(Array.from({ length: 8 }, () => (random.next().value as number) & 0xff)));
      seen[await refusedOrRight(subject)]++;
    }
    expect(seen.refused).toBeGreaterThan(seen.right);
  });
});

describe('the plane store', () => {
  /** As a kill leaves it: with a log that is not yet in the file. */
  async function killed(directory: string): Promise<Subject> {
    const live = path.join(directory, 'live');
    mkdirSync(live);
    const file = path.join(live, 'plane.sqlite');
    const store = openSqliteStore({ file });
    for (const row of applications) await store.run('insert', () => writeOne(insertApplication(row)));
    // A process that dies closes nothing: what it leaves is taken from under it. The log is moved, since the file stays the same one.
    const left = new Map(['-wal', '-seen'].map((end) => [end, readFileSync(`${file}${end}`)]));
    const main = readFileSync(file);
    await store.close();
    write(file, 0, main);
    truncateSync(file, main.length);
    for (const [end, bytes] of left) writeFileSync(`${file}${end}`, bytes);
    return {
      file,
      async open() {
        const again = openSqliteStore({ file });
        try {
          for (const row of applications)
            expect((await again.read('r', () => one(readApplication({ tenant, application: row.id }))))?.name).toBe(
              row.name,
            );
        } finally {
          await again.close();
        }
      },
    };
  }

  test('has all that was answered after a kill', async () => {
    expect(await refusedOrRight(await killed(temporaryDirectory()))).toBe('right');
  });

  test.each([0, 32, 5_000, 100_001])('is refused with its log cut off after %i bytes', async (size) => {
    const subject = await killed(temporaryDirectory());
    truncateSync(`${subject.file}-wal`, size);
    expect(await refusedOrRight(subject)).toBe('refused');
  });

  test('is refused with its log gone', async () => {
    const subject = await killed(temporaryDirectory());
    rmSync(`${subject.file}-wal`);
    expect(await refusedOrRight(subject)).toBe('refused');
  });

  test('is refused with rubbish in the middle of its log', async () => {
    const subject = await killed(temporaryDirectory());
    const wal = `${subject.file}-wal`;
    write(wal, Math.floor(statSync(wal).size / 2), Buffer.alloc(200, 0x5a));
    expect(await refusedOrRight(subject)).toBe('refused');
  });

  test('is refused emptied', async () => {
    const directory = temporaryDirectory();
    const subject = await planeStore(directory);
    truncateSync(subject.file, 0);
    expect(await refusedOrRight(subject)).toBe('refused');
  });

  test('takes a backup put in its place, which knows less', async () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, 'plane.sqlite');
    const first = openSqliteStore({ file });
    await first.run('insert', () => writeOne(insertApplication(applicationRow('one'))));
    await first.close();
    const backup = path.join(directory, 'backup');
    copyFileSync(file, backup);
    const second = openSqliteStore({ file });
    for (const row of applications.slice(1)) await second.run('insert', () => writeOne(insertApplication(row)));
    await second.close();
    rmSync(file);
    copyFileSync(backup, file);
    await openSqliteStore({ file }).close();
    expect(existsSync(`${file}-seen`)).toBe(true);
  });

  test('finds an index that does not say what its table says', async () => {
    const directory = temporaryDirectory();
    const subject = await planeStore(directory);
    const database = new DatabaseSync(subject.file);
    const { rootpage } = database
      .prepare("select rootpage from sqlite_master where type = 'index' and tbl_name = 'applications' limit 1")
      .get() as { rootpage: number };
    database.close();
    const bytes = readFileSync(subject.file);
    const at = (Number(rootpage) - 1) * PAGE;
    const text = bytes.indexOf('shop-', at);
    if (text >= 0 && text < at + PAGE) write(subject.file, text, Buffer.from('shoq-'));
    else write(subject.file, at + PAGE - 16, Buffer.alloc(16, 0x41));
    expect(await refusedOrRight(subject)).toBe('refused');
  });
});

function write(file: string, at: number, bytes: Uint8Array): void {
  const whole = readFileSync(file);
  const size = Math.max(whole.length, at + bytes.length);
  const next = Buffer.alloc(size);
  whole.copy(next);
  next.set(bytes, at);
  writeFileSync(file, next);
}
