/**
 * Where templates and code are known to be apart. Each list may only shrink: an entry that is no longer true fails the check.
 */

/** Settings the code reads that the templates leave out, and why that is right. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  FACTORY_DEFINITIONS: 'the definitions of the product are the baseline; an application installs its own',
  FACTORY_CREDENTIAL_FILE: 'a managed identity takes its place in Azure',
  FACTORY_SERVICE_BUS: 'a connection string holds a key; in Azure the namespace is named and the identity signs in',
  FACTORY_NUGET_PACKAGES: 'for one machine; in Azure a sandbox is a session, which has the packages of its image',
  FACTORY_TELEMETRY_FILE: 'for one machine; in Azure telemetry goes to Application Insights',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'for a collector of the operator beside Application Insights',
  OTEL_SDK_DISABLED: 'telemetry is on in Azure: alerts stand on it',
  OTEL_SERVICE_NAME: 'each process is named by its role',
  OTEL_RESOURCE_ATTRIBUTES: 'the resources of Azure say where a process runs',
  OTEL_TRACES_SAMPLER: 'the default keeps every trace',
  OTEL_TRACES_SAMPLER_ARG: 'the default keeps every trace',
  OTEL_METRIC_EXPORT_INTERVAL: 'the default is a minute',
  FACTORY_ALLOW_ALL: 'every trust zone in one process is for tests',
  FACTORY_CRASH_AT: 'for tests that kill the process',
  FACTORY_CRASH_LOG: 'for tests that kill the process',
};

/** Settings that Azure itself or its libraries read. */
export const READ_BY_PLATFORM =
  /^(AzureWebJobsStorage__\w+|APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING|DURABLE_TASK_SCHEDULER_CONNECTION_STRING|TASKHUB_NAME|AzureFunctionsJobHost__\w+)$/;

/** What the Functions host reads of a trigger's connection by identity, beside the connection's name. */
export const READ_OF_CONNECTION = ['__fullyQualifiedNamespace', '__credential', '__clientId'];
