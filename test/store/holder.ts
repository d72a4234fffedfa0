import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

/** Opens the data file named and holds it until killed. */
openSqliteStore({ file: process.argv[2] ?? '' });
process.stdout.write('open\n');
setInterval(() => {}, 1_000);
