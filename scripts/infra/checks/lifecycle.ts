import type { Document } from '../bicep/document.ts';
import { textAt } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { KINDS } from '../resource-kinds.ts';

function* locks(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents) {
    const kept = document.resources.filter((resource) => resource.type === 'Microsoft.Authorization/locks');
    for (const resource of document.resources) {
      if (resource.existing || KINDS[resource.type]?.lock !== true) continue;
      const own = kept.find((lock) => textAt(lock.body, 'scope') === resource.name);
      if (own === undefined) yield fault(document, resource.line, `${resource.name} holds state and has no lock`);
      else if (
        textAt(own.body, 'properties.level') !== 'CanNotDelete' ||
        !own.condition?.includes("lockLevel != 'None'")
      )
        yield fault(document, own.line, `${own.name} is not a CanNotDelete lock by lockLevel`);
    }
  }
}

function* takenDown(landing: Landing): Iterable<Fault> {
  const teardown = landing.files.get('scripts/teardown.sh') ?? '';
  if (!teardown.includes('lock delete') || !/keyvault|purge/i.test(teardown))
    yield { where: 'scripts/teardown.sh', what: 'does not lift the locks and say what stays' };
}

/** Fixed once made: they may not come from a parameter that somebody changes. */
const IMMUTABLE = [
  'requiresDuplicateDetection',
  'requiresSession',
  'enablePartitioning',
  'isLedgerOn',
  'collation',
  'kind',
];

function* fixed(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents) {
    for (const [index, line] of document.text.split('\n').entries())
      if (/\b(utcNow|newGuid|deployment|dateTimeAdd)\(/.test(line))
        yield fault(document, index + 1, `changes with every deployment: ${line.trim().slice(0, 80)}`);
    for (const resource of document.resources)
      for (const name of IMMUTABLE) {
        const value = textAt(resource.body, `properties.${name}`);
        if (value !== undefined && !/^(true|false|[\w-]+)$/.test(value))
          yield fault(document, resource.line, `${name} can't change once made, and is ${value}`);
      }
  }
}

function* repeatable(landing: Landing): Iterable<Fault> {
  const budget = templateOf(landing, 'modules/budget.bicep')?.resources[0];
  if (textAt(budget?.body, 'properties.timePeriod.startDate') !== 'startDate')
    yield { where: 'modules/budget.bicep', what: 'the start of the budget is not a parameter' };
  if (!landing.files.get('scripts/deploy.sh')?.includes('stack sub create'))
    yield { where: 'scripts/deploy.sh', what: 'does not deploy as a stack' };
  if (!landing.files.get('scripts/whatif.sh')?.includes('what-if'))
    yield { where: 'scripts/whatif.sh', what: 'does not look before it deploys' };
}

/** What prod may set differently from dev. */
const MAY_DIFFER = [
  'environmentName',
  'networkMode',
  'allowedIpRanges',
  'ingress',
  'dtsSku',
  'dtsCapacity',
  'busSku',
  'busCapacity',
  'sqlSku',
  'sqlVCores',
  'sqlAutoPauseMinutes',
  'sqlMaxSizeGib',
  'backup',
  'artifactSku',
  'anchorImmutabilityDays',
  'softDeleteDays',
  'zoneRedundant',
  'lockLevel',
  'retentionDays',
  'dailyQuotaGb',
  'controlScale',
  'effectorScale',
  'jobScale',
  'maximumSessions',
  'readySessions',
  'budgetAmount',
  'thresholds',
];

function* parameterFiles(landing: Landing): Iterable<Fault> {
  const declared = templateOf(landing, 'main.bicep')?.parameters ?? [];
  const passed = templateOf(landing, 'main.bicep')?.modules.find((module) => module.path === 'workload.bicep')?.body;
  for (const parameter of templateOf(landing, 'workload.bicep')?.parameters ?? [])
    if (textAt(passed, `params.${parameter.name}`) !== (parameter.name === 'tags' ? 'allTags' : parameter.name))
      yield { where: 'main.bicep', what: `does not pass ${parameter.name} on to workload.bicep` };
  const sources = landing.parameterFiles.map(
    (file) => new Map(file.variables.map((variable) => [variable.name, variable.value.source])),
  );
  for (const [index, file] of landing.parameterFiles.entries()) {
    if (file.using !== 'main.bicep') yield { where: file.file, what: 'is not for main.bicep' };
    for (const variable of file.variables)
      if (!declared.some((parameter) => parameter.name === variable.name))
        yield fault(file, variable.line, `main.bicep has no parameter ${variable.name}`);
    for (const parameter of declared)
      if (parameter.fallback === undefined && !sources[index]?.has(parameter.name))
        yield { where: file.file, what: `does not set ${parameter.name}` };
  }
  const [first, second] = sources;
  for (const name of new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])]))
    if (!MAY_DIFFER.includes(name) && first?.get(name) !== second?.get(name))
      yield { where: 'main.dev.bicepparam', what: `${name} differs from prod, and is not one that may` };
}

function* runbook(landing: Landing): Iterable<Fault> {
  const text = landing.files.get('runbook.md') ?? '';
  for (const heading of [
    'Deploy',
    'Roll back',
    'Rotate keys',
    'Restore the database',
    'Lost task hub',
    'Region failover',
    'Dead letters',
    'Break glass',
  ])
    if (!text.includes(`## ${heading}`)) yield { where: 'runbook.md', what: `has no chapter ${heading}` };
  for (const [, script = ''] of `${text}${landing.files.get('README.md') ?? ''}`.matchAll(/(scripts\/[a-z]+\.sh)/g))
    if (!landing.files.has(script)) yield { where: 'runbook.md', what: `names ${script}, which is not there` };
}

export const lifecycleChecks: readonly Check[] = [
  { id: '25', title: 'locks on what holds state, a way to take it down', onResources: locks, run: takenDown },
  { id: '26', title: 'deploys twice alike', onResources: fixed, run: repeatable },
  { id: '27', title: 'dev and prod differ in listed parameters only', run: parameterFiles },
  { id: '29', title: 'runbook of restore, roll back and failover', run: runbook },
];
