/**
 * Where templates and code are known to be apart. Each list may only shrink: an entry that is no longer true fails the check.
 */

/** Settings the templates give that no code reads yet, and what will read them. */
export const SETTINGS_AHEAD: Readonly<Record<string, string>> = {
  FACTORY_SQL_SERVER: 'the store on Azure SQL',
  FACTORY_SQL_DATABASE: 'the store on Azure SQL',
  FACTORY_SQL_APPLICATION_NAME: 'the migration: the contained user it makes for control',
  FACTORY_SQL_APPLICATION_CLIENT: 'the migration: the client id that is the SID of that user',
  FACTORY_ARTIFACTS_URL: 'artifacts on Azure Blob',
  FACTORY_ANCHORS_URL: 'anchors on Azure Blob',
  FACTORY_ACTIVITY_URL: 'the activity feed on Azure Table',
  FACTORY_WRAPPING_KEY: 'wrapping by Key Vault',
  FACTORY_SIGNING_KEY: 'signing by Key Vault',
  FACTORY_SESSION_POOL: 'the sandbox driver of dynamic sessions',
  FACTORY_POOLS: 'the container shell: which pools of its role a worker serves',
  FACTORY_CREDENTIALS_VAULT: 'code hosts that take their credential from Key Vault',
};

/** Faults that the code finds today in the settings of a role: what it can't do in Azure yet. */
export const FAULTS_AHEAD: Readonly<Record<string, readonly string[]>> = {
  control: ['FACTORY_STORE', 'FACTORY_SERVICE_BUS'],
  station: ['FACTORY_CREDENTIAL_FILE', 'FACTORY_SANDBOX'],
  verifier: ['FACTORY_CREDENTIAL_FILE', 'FACTORY_SANDBOX'],
  effector: ['FACTORY_CREDENTIAL_FILE'],
};

/** Settings the code reads that the templates leave out, and why that is right. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  FACTORY_DEFINITIONS: 'the definitions of the product are the baseline; an application installs its own',
  FACTORY_CREDENTIAL_FILE: 'a managed identity takes its place in Azure',
  FACTORY_ALLOW_ALL: 'every trust zone in one process is for tests',
  FACTORY_CRASH_AT: 'for tests that kill the process',
  FACTORY_CRASH_LOG: 'for tests that kill the process',
};

/** Settings that Azure itself or its libraries read. */
export const READ_BY_PLATFORM =
  /^(AzureWebJobsStorage__\w+|APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING|AZURE_CLIENT_ID|DURABLE_TASK_SCHEDULER_CONNECTION_STRING|TASKHUB_NAME)$/;
