import { describe, expect, it } from 'vitest';
import { CONTROL_SETTINGS, readControlSettings } from '../../shared/config/control.ts';
import { readWorkerSettings, WORKER_SETTINGS } from '../../shared/config/worker.ts';
import { code, document, section, tableRows } from './documents.ts';

type Read = (environment: Record<string, string>) => unknown;

const roles: readonly {
  readonly heading: string;
  readonly names: readonly string[];
  readonly read: Read;
  readonly enough: Record<string, string>;
}[] = [
  {
    heading: '### Control',
    names: CONTROL_SETTINGS,
    read: readControlSettings,
    enough: { FACTORY_DATA: 'data', FACTORY_SERVICE_BUS: 'Endpoint=sb://127.0.0.1', FACTORY_IDENTITY: 'local' },
  },
  {
    heading: '### Worker (station, verifier, effector)',
    names: WORKER_SETTINGS,
    read: readWorkerSettings,
    enough: { FACTORY_CONTROL_URL: 'http://127.0.0.1:1', FACTORY_CREDENTIAL_FILE: 'file', FACTORY_DATA: 'data' },
  },
];

describe.each(roles)('$heading', ({ heading, names, read, enough }) => {
  const rows = tableRows(section(document('operations.md'), heading)).map(([name, byDefault]) => ({
    name: code(name),
    byDefault: byDefault ?? '',
  }));

  it('lists every setting, and no other', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it('calls required what is required', () => {
    expect(() => read(enough)).not.toThrow();
    expect(
      rows
        .filter(({ byDefault }) => byDefault === 'required')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(enough).sort());
    for (const name of Object.keys(enough)) expect(() => read({ ...enough, [name]: '' }), name).toThrow(name);
  });

  it('names the defaults: giving one changes nothing', () => {
    for (const { name, byDefault } of rows) {
      if (!byDefault.startsWith('`')) continue;
      expect(read({ ...enough, [name]: code(byDefault) }), name).toEqual(read(enough));
    }
  });
});
