import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { BETWEEN } from '../../shared/store/migrations/migration.ts';
import type { Dialect } from '../../shared/store/schema/ddl.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';
import { difference } from './difference.ts';

/** `node scripts/migration/main.ts NAME` writes the next step of the schema: what the descriptors have and the steps before don't, in both dialects. */
const folder = path.join(import.meta.dirname, '..', '..', 'shared', 'store', 'migrations');
const [name = ''] = process.argv.slice(2);
if (!/^[a-z][a-z-]{1,60}$/.test(name)) throw new Error('give the step a name of lower-case letters and hyphens');

const number = MIGRATIONS.length + 1;
const stem = `${String(number).padStart(4, '0')}-${name}`;
const texts = (['sqlite', 'azure-sql'] satisfies Dialect[]).map((dialect) => {
  const applied = MIGRATIONS.flatMap((migration) => migration.statements(dialect));
  return [dialect, difference(applied, Object.values(TABLES), dialect)] as const;
});
if (texts.every(([, statements]) => statements.length === 0))
  throw new Error('the descriptors say what the steps sum up to: there is nothing to write');

const files = texts.map(([dialect, statements]) => [`${stem}.${dialect}.sql`, `${statements.join(BETWEEN)}${BETWEEN}`]);
files.push([`${stem}.ts`, moduleOf()]);
for (const [file = '', text = ''] of files) writeFileSync(path.join(folder, file), text, { flag: 'wx' });
console.log(`wrote ${files.map(([file]) => file).join(', ')}; say in ${stem}.ts what it is for, and add it to list.ts`);

function moduleOf(): string {
  const constant = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return `import { frozenMigration } from './migration.ts';

export const ${constant} = frozenMigration({
  number: ${number},
  name: '${name}',
  breaking: false,
  files: {
    sqlite: new URL('./${stem}.sqlite.sql', import.meta.url),
    'azure-sql': new URL('./${stem}.azure-sql.sql', import.meta.url),
  },
});
`;
}
