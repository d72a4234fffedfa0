import { newId } from '../../shared/domain/ids.ts';
import { writeOne } from '../../shared/store/command.ts';
import { insertSession } from '../../shared/store/sessions/sessions.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

/** Inserts sessions without end, eight at a time, and prints the id of each one that was acknowledged. */
const store = openSqliteStore({ file: process.argv[2] ?? '' });
const tenant = newId('tenant', 1);
const principal = newId('principal', 1);
const lane = async (): Promise<void> => {
  for (;;) {
    const id = newId('session', Date.now());
    await store.run('insert', () =>
      writeOne(insertSession({ id, tenant_id: tenant, principal_id: principal, title: '', created_at: 1 })),
    );
    process.stdout.write(`${id}\n`);
  }
};
for (let lanes = 0; lanes < 8; lanes++) void lane();
