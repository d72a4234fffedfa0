/** Where the management API answers, and its key. */
export interface ManagementAddress {
  readonly url: string;
  readonly key: string;
}

/** What every call is asked for, as the real extension puts it into its URLs (`code` is its system key). */
const required = ({ key }: ManagementAddress): string => `connection=Storage&code=${key}`;

/**
 * The URLs of the management API for one instance; `INSTANCEID` where its id belongs. The names are those of the real
 * extension, including those this host answers with 501.
 */
export function managementUrls(address: ManagementAddress, hubName: string): Record<string, string> {
  const base = `${address.url}/runtime/webhooks/durabletask/instances/INSTANCEID`;
  const query = `taskHub=${encodeURIComponent(hubName)}&${required(address)}`;
  return {
    id: 'INSTANCEID',
    statusQueryGetUri: `${base}?${query}`,
    sendEventPostUri: `${base}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${base}/terminate?reason={text}&${query}`,
    rewindPostUri: `${base}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${base}?${query}`,
    restartPostUri: `${base}/restart?${query}`,
    suspendPostUri: `${base}/suspend?reason={text}&${query}`,
    resumePostUri: `${base}/resume?reason={text}&${query}`,
  };
}

/**
 * The text of the durableClient binding: the library parses it and talks to `rpcBaseUrl`, whose password it sends along.
 * Built once a host.
 */
export function clientBindingText(address: ManagementAddress, hubName: string): string {
  const base = `${address.url}/runtime/webhooks/durabletask`;
  const rpc = new URL('/durabletask/', address.url);
  rpc.username = 'app';
  rpc.password = address.key;
  return JSON.stringify({
    taskHubName: hubName,
    creationUrls: {
      createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?code=${address.key}`,
      createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${address.key}`,
    },
    managementUrls: managementUrls(address, hubName),
    baseUrl: base,
    requiredQueryStringParameters: required(address),
    rpcBaseUrl: rpc.href,
  });
}
