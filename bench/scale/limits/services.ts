import type { Limit } from './limit.ts';

/** The pages that state them: to be looked up again before anybody relies on a limit. */
const PAGE = {
  bus: 'learn.microsoft.com, Service Bus: throttling operations (service-bus-throttling)',
  keys: 'learn.microsoft.com, Azure Key Vault service limits (key-vault/general/service-limits)',
  storage:
    'learn.microsoft.com, Scalability targets for standard storage accounts (scalability-targets-standard-account)',
  tables: 'learn.microsoft.com, Scalability targets for Table storage',
  sql: 'learn.microsoft.com, Resource limits for single databases, vCore (resource-limits-vcore-single-databases)',
  scheduler: 'learn.microsoft.com, Durable Task Scheduler billing (durable-task-scheduler-billing)',
  durable: 'MicrosoftDocs/azure-docs, durable-functions-azure-storage-provider.md, performance targets',
  flex: 'learn.microsoft.com, Flex Consumption plan hosting (flex-consumption-plan)',
  jobs: 'learn.microsoft.com, Jobs in Azure Container Apps (container-apps/jobs); keda.sh, ScaledJob specification',
} as const;

export const LIMITS_OF_SERVICES = {
  busStandardCredits: { value: 1_000, unit: 'credits/s a namespace', published: PAGE.bus },
  busPremiumOperations: {
    value: 1_000,
    unit: 'operations/s a messaging unit',
    assumed: 'no figure is published for a unit; as much as Standard, below what small messages were reported to reach',
  },
  busManagementCredits: { value: 10, unit: 'credits a management operation', published: PAGE.bus },
  keyOperations2048: {
    value: 4_000,
    unit: 'operations in 10 s a vault, RSA 2048 or P-256, software',
    published: PAGE.keys,
  },
  keyOperations3072: { value: 1_000, unit: 'operations in 10 s a vault, RSA 3072, software', published: PAGE.keys },
  keyWindow: { value: 10, unit: 's', published: PAGE.keys },
  blobRequests: { value: 20_000, unit: 'requests/s a storage account', published: PAGE.storage },
  tableEntities: { value: 2_000, unit: 'entities/s a partition, which is an application', recalled: PAGE.tables },
  sqlLogGeneral: { value: 4.5, unit: 'MB/s of log a core, General Purpose', published: PAGE.sql },
  sqlLogGeneralMost: { value: 50, unit: 'MB/s of log, General Purpose', recalled: PAGE.sql },
  sqlLogCritical: { value: 12, unit: 'MB/s of log a core, Business Critical', published: PAGE.sql },
  sqlLogCriticalMost: { value: 96, unit: 'MB/s of log, Business Critical', published: PAGE.sql },
  sqlLogHyperscale: { value: 100, unit: 'MB/s of log, Hyperscale', published: PAGE.sql },
  sqlCommitGeneral: { value: 6, unit: 'ms of a log write, General Purpose (5 to 7)', published: PAGE.sql },
  sqlCommitCritical: { value: 2, unit: 'ms of a log write, Business Critical (1 to 2)', published: PAGE.sql },
  sqlCommitHyperscale: { value: 4, unit: 'ms of a log write, Hyperscale (3 to 5)', published: PAGE.sql },
  schedulerConsumption: { value: 500, unit: 'actions/s', published: PAGE.scheduler },
  schedulerUnit: { value: 2_000, unit: 'actions/s a capacity unit', published: PAGE.scheduler },
  storageEvents: { value: 50, unit: 'external events/s an instance', published: PAGE.durable },
  flexConcurrency512: { value: 4, unit: 'HTTP requests at once, 512 MB', recalled: PAGE.flex },
  flexConcurrency2048: { value: 16, unit: 'HTTP requests at once, 2,048 MB', recalled: PAGE.flex },
  flexConcurrency4096: { value: 32, unit: 'HTTP requests at once, 4,096 MB', recalled: PAGE.flex },
  flexCores: { value: 250, unit: 'cores a region and subscription', published: PAGE.flex },
  scalerInterval: { value: 15, unit: 's', template: 'infra/modules/worker-job.bicep, pollingInterval' },
  executionsMost: { value: 300, unit: 'executions of a job', template: 'infra/shared/types.bicep, maximumExecutions' },
  sessionsMost: { value: 600, unit: 'sessions of a pool', template: 'infra/main.bicep, maximumSessions' },
  messagesAnInstance: { value: 4, unit: 'messages an instance', code: 'host.json, maxConcurrentCalls' },
} as const satisfies Readonly<Record<string, Limit>>;
