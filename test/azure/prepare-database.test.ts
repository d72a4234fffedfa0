import { describe, expect, it } from 'vitest';
import { applicationUserStatements } from '../../shared/store/azure-sql/application-user.ts';
import { type Preparation, prepareDatabase } from '../../shared/store/azure-sql/prepare-database.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';
import { driverError, ScriptedServer, sqlError } from './scripted-server.ts';

const application = { name: 'id-control-factory-dev', clientId: '01234567-89ab-cdef-0123-456789abcdef' };

function preparation(server: ScriptedServer, more: Partial<Preparation> = {}) {
  const told: string[] = [];
  const waits: number[] = [];
  const prepare = () =>
    prepareDatabase({
      connect: server.connect,
      application,
      report: (why) => told.push(why),
      wait: async (ms) => waits.push(ms),
      ...more,
    });
  return { prepare, told, waits };
}

describe('the database is made ready by the migrator', () => {
  it('with the migrations, then the user of control, each in a transaction; a second time nothing is migrated', async () => {
    const server = new ScriptedServer();
    server.migrated = false;
    const { prepare } = preparation(server);
    expect((await prepare()).map(({ name }) => name)).toEqual(['initial']);
    const user = server.log.slice(server.log.lastIndexOf('begin'));
    expect(user).toEqual([
      'begin',
      'if exists',
      'if not',
      "if database_principal_id(N'factory_control')",
      'grant select,',
      'deny update,',
      'deny update,',
      'deny insert,',
      "if is_rolemember(N'factory_control',",
      'commit',
      'close',
    ]);
    expect(await prepare()).toEqual([]);
  });

  it('again on a new connection after faults that pass, also a commit whose answer was lost', async () => {
    const server = new ScriptedServer();
    server.migrated = false;
    server.faults.push(
      { step: 'connect', error: sqlError(40613) },
      { step: 'begin', error: driverError('ESOCKET') },
      { step: 'commit', error: driverError('ESOCKET') },
    );
    const { prepare, told, waits } = preparation(server);
    await prepare();
    expect(told).toEqual([
      'the database is not available at the moment',
      'the connection broke',
      'the connection broke',
    ]);
    expect(waits.every((ms) => ms > 0)).toBe(true);
    expect(server.log.filter((step) => step === 'connect')).toHaveLength(4);
    expect(server.log.filter((step) => step === 'close')).toHaveLength(4);
  });

  it('no longer than its patience, and not at all after what repeating does not help', async () => {
    const server = new ScriptedServer();
    for (let times = 0; times < 1_000; times++) server.faults.push({ step: 'connect', error: sqlError(40613) });
    let clock = 0;
    const { prepare, waits } = preparation(server, { now: () => clock, wait: async (ms) => (clock += ms) });
    await expect(prepare()).rejects.toMatchObject({ number: 40613 });
    expect(clock).toBeGreaterThan(4 * 60_000);
    expect(clock).toBeLessThanOrEqual(5 * 60_000);
    expect(waits).toEqual([]);
    const denied = new ScriptedServer();
    denied.faults.push({ step: 'connect', error: sqlError(18456) });
    await expect(preparation(denied).prepare()).rejects.toMatchObject({ number: 18456 });
    expect(denied.log).toEqual(['connect', 'close']);
  });
});

describe('the user of control', () => {
  const statements = applicationUserStatements(application);

  it('has the client id for its SID, as the server keeps a GUID, and replaces one of an identity that was made anew', () => {
    const sid = '0x67452301ab89efcd0123456789abcdef';
    expect(statements[0]).toBe(
      `if exists (select 1 from sys.database_principals where name = N'id-control-factory-dev' and sid <> ${sid}) drop user [id-control-factory-dev]`,
    );
    expect(statements[1]).toContain(`create user [id-control-factory-dev] with sid = ${sid}, type = E`);
    expect(() => applicationUserStatements({ name: 'x', clientId: 'x' })).toThrow('not a GUID');
  });

  it('may write rows, and no DDL; what is recorded for ever it may only add to', () => {
    const text = statements.join('\n');
    expect(text).not.toMatch(/db_owner|db_ddladmin|grant control|grant alter/i);
    expect(text.match(/\bgrant\b/g)).toHaveLength(1);
    for (const table of ['audit_events', 'audit_anchors'])
      expect(statements).toContain(`deny update, delete on dbo.${table} to factory_control`);
    for (const [, table = ''] of text.matchAll(/on dbo\.(\w+)/g))
      expect([...Object.keys(TABLES), 'migrations']).toContain(table);
  });

  it('puts no name into a statement unquoted', () => {
    const [first = ''] = applicationUserStatements({ ...application, name: "a]b'c" });
    expect(first).toContain("N'a]b''c'");
    expect(first).toContain("[a]]b'c]");
  });
});
