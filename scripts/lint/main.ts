import { checkArrows } from './arrows.ts';
import { checkCrossings } from './crossings.ts';
import { checkImportsByName } from './imports-by-name.ts';
import { checkRoutes } from './routes.ts';
import { sources } from './sources.ts';

/** The checks of our own that no linter has: prints each fault on a line and exits 1 when there is one. */
const files = sources(process.cwd());
const faults = [...checkArrows(files), ...checkCrossings(files), ...checkImportsByName(files), ...checkRoutes()];
for (const fault of faults) console.error(fault);
console.log(`${files.length} files, ${faults.length} faults of structure`);
process.exit(faults.length > 0 ? 1 : 0);
