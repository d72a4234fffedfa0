import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readFiles, readLanding } from '../landing.ts';
import { readRequest } from './package-files.ts';
import { SOURCES } from './packages.ts';
import { publish } from './publish.ts';
import type { PublishedRequests } from './published.ts';

/**
 * `node scripts/infra/requests/main.ts [--cache DIR]` reads the published management packages at their pinned versions and writes down, in `requests.json` beside this
 * file, the names and values that their requests take at each place that the templates write to. Packages are kept in a cache directory of the user; with them there it
 * needs no network. The check itself reads the file alone.
 */
const { values } = parseArgs({ options: { cache: { type: 'string' } } });
const caches = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
const cache = path.resolve(values.cache ?? path.join(caches, 'agent-factory', 'management-types'));
mkdirSync(cache, { recursive: true });

const infra = path.join(import.meta.dirname, '..', '..', '..', 'infra');
const landing = await readLanding(await readFiles(infra));
const written: Record<string, PublishedRequests[string]> = {};
for (const [type, source] of Object.entries(SOURCES).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const ours = landing.templates.flatMap((document) =>
    document.resources
      .filter((resource) => resource.type === type && !resource.existing)
      .map(({ body }) => ({ document, value: body })),
  );
  const { shape, apiVersions } = await readRequest(source, cache);
  written[type] = {
    from: `${source.package}@${source.version}`,
    apiVersions,
    request: publish(shape, ours),
  };
  console.log(`${type}: ${source.package}@${source.version} ${source.model}, ${shape.names.length} names`);
}
writeFileSync(path.join(import.meta.dirname, 'requests.json'), `${JSON.stringify(written, null, 1)}\n`);
