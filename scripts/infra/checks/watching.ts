import { METRICS } from '../../../shared/telemetry/metrics.ts';
import type { Document } from '../bicep/document.ts';
import { textAt } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { KINDS } from '../resource-kinds.ts';

function* diagnostics(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents) {
    const settings = document.resources.filter((resource) => resource.type === 'Microsoft.Insights/diagnosticSettings');
    for (const resource of document.resources) {
      if (resource.existing || KINDS[resource.type]?.diagnostics !== 'required') continue;
      const own = settings.find((setting) => textAt(setting.body, 'scope')?.replace(/\[.*\]$/, '') === resource.name);
      if (own === undefined) yield fault(document, resource.line, `${resource.name} has no diagnostic settings`);
      else if (!/workspaceId$|^workspace\.id$/.test(textAt(own.body, 'properties.workspaceId') ?? ''))
        yield fault(document, own.line, `${own.name} does not go to the workspace`);
    }
    for (const setting of settings)
      if (
        !/categoryGroup: '(allLogs|audit)'|category: '(AllMetrics|Transaction|SQLSecurityAuditEvents)'/.test(
          setting.body.source,
        )
      )
        yield fault(document, setting.line, `${setting.name} takes neither logs nor metrics`);
  }
}

function* retained(landing: Landing): Iterable<Fault> {
  const retention = templateOf(landing, 'modules/monitoring.bicep')?.resources.find(
    (resource) => resource.type === 'Microsoft.OperationalInsights/workspaces',
  );
  if (textAt(retention?.body, 'properties.retentionInDays') !== 'retentionDays')
    yield { where: 'modules/monitoring.bicep', what: 'the retention of logs is not the parameter' };
}

const ALERTS = [
  'dead-letters',
  'waiting-hints',
  'bus-throttled',
  'sql-processor',
  'sql-workers',
  'sql-log',
  'sql-storage',
  'server-errors',
  'errors',
  'unreported-jobs',
  'oldest-gate',
  'lease-churn',
  'anchor-silence',
  'drift',
  'budget',
];

function* alerts(landing: Landing): Iterable<Fault> {
  const document = templateOf(landing, 'modules/alerts.bicep');
  if (document === undefined) return yield { where: 'modules/alerts.bicep', what: 'is missing' };
  const names = [...document.text.matchAll(/\{ name: '([^']+)'/g)].map(([, name]) => name);
  for (const name of ALERTS) if (!names.includes(name)) yield fault(document, 1, `no alert ${name}`);
  for (const resource of document.resources) {
    if (!/actionGroupId/.test(resource.body.source))
      yield fault(document, resource.line, `${resource.name} tells nobody`);
    if (textAt(resource.body, 'properties.enabled') !== 'true')
      yield fault(document, resource.line, `${resource.name} is not enabled`);
  }
  for (const [, literal] of document.text.matchAll(/threshold: (\d+)/g))
    if (literal !== '0') yield fault(document, 1, `threshold ${literal} is not a parameter`);
}

/** Metrics, their dimensions, and events that a query rests on. */
export function asksFor(query: string): { metrics: string[]; dimensions: string[]; events: string[] } {
  const found = (pattern: RegExp): string[] => [...query.matchAll(pattern)].map(([, name = '']) => name);
  const lists = found(/line\.event\) (?:==|in) (\([^)]*\)|'[^']*')/g).flatMap((list) =>
    [...list.matchAll(/'([^']*)'/g)].map(([, text = '']) => text),
  );
  return { metrics: found(/'(factory\.[a-z.]+)'/g), dimensions: found(/Properties\.(\w+)/g), events: lists };
}

/** Tables of the workspace that what the templates deploy writes to (learn.microsoft.com: azure-monitor/reference/tables). */
const TABLES: ReadonlySet<string> = new Set(['AppMetrics', 'AppRequests', 'AppTraces', 'ContainerAppConsoleLogs']);

/** A table stands at the start of a line or of a bracket, alone or before a pipe. */
const tablesOf = (query: string): string[] =>
  [...query.matchAll(/^\s*\(?([A-Z]\w*)\s*(?:\||$)/gm)].map(([, name = '']) => name);

const emitted: Readonly<Record<string, { readonly dimensions: readonly string[] }>> = METRICS;

function* queries(landing: Landing): Iterable<Fault> {
  const used = landing.templates.flatMap((document) =>
    [...document.text.matchAll(/loadTextContent\('\.\.\/(queries\/[^']+)'\)/g)].map(([, file = '']) => file),
  );
  for (const [file, query] of landing.files) {
    if (!file.startsWith('queries/')) continue;
    if (!used.includes(file)) yield { where: file, what: 'is shown by no alert or page' };
    const tables = tablesOf(query);
    if (tables.length === 0) yield { where: file, what: 'names no table' };
    for (const table of tables)
      if (!TABLES.has(table)) yield { where: file, what: `nothing that is deployed writes a table ${table}` };
    const { metrics, dimensions } = asksFor(query);
    const known = metrics.flatMap((metric) => emitted[metric]?.dimensions ?? []);
    for (const dimension of dimensions)
      if (!known.includes(dimension))
        yield { where: file, what: `${metrics.join(', ') || 'no metric'} has no dimension ${dimension}` };
    // The host of functions sends a sample: each row says how many it stands for.
    if (/\bApp(?:Traces|Requests)\b/.test(query) && query.includes('count()'))
      yield { where: file, what: 'counts rows of a sample: sum ItemCount' };
    if (file.startsWith('queries/alert-') && !/\bvalue = /.test(query))
      yield { where: file, what: 'an alert query answers a column named value' };
  }
  const pages = ['line', 'request', 'approvals', 'workers', 'cost', 'failures', 'anchors'];
  for (const page of pages)
    if (!used.includes(`queries/page-${page}.kql`))
      yield { where: 'modules/workbook.bicep', what: `has no page ${page}` };
}

export const watchingChecks: readonly Check[] = [
  { id: '22', title: 'diagnostics of every resource, retention', onResources: diagnostics, run: retained },
  { id: '23', title: 'alerts present, wired, thresholds as parameters', run: alerts },
  { id: '24', title: 'queries of workbook and alerts rest on known names', run: queries },
];
