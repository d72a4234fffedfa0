/**
 * The URLs of the management API for one instance; `INSTANCEID` where its id belongs. The names are those of the real
 * extension, including those this host answers with 501.
 */
export function managementUrls(origin: string, hubName: string): Record<string, string> {
  const base = `${origin}/runtime/webhooks/durabletask/instances/INSTANCEID`;
  const query = `taskHub=${encodeURIComponent(hubName)}&connection=Storage`;
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

/** The text of the durableClient binding: the library parses it and talks to `rpcBaseUrl`. Built once a host. */
export function clientBindingText(origin: string, hubName: string): string {
  const base = `${origin}/runtime/webhooks/durabletask`;
  return JSON.stringify({
    taskHubName: hubName,
    creationUrls: {
      createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]`,
      createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}`,
    },
    managementUrls: managementUrls(origin, hubName),
    baseUrl: base,
    requiredQueryStringParameters: 'connection=Storage',
    rpcBaseUrl: `${origin}/durabletask/`,
  });
}
