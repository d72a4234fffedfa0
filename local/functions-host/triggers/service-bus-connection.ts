import type { ServiceBusClient } from '@azure/service-bus';

/** Clients by app setting; a client is one connection that its receivers and senders share. */
export interface ServiceBusConnections {
  /** The client of an app setting that holds a connection string. Throws when the setting is absent. */
  get(setting: string): ServiceBusClient;
  close(): Promise<void>;
}

const noConnections: ServiceBusConnections = {
  get(setting) {
    throw new Error(`The app setting "${setting}" is asked for a Service Bus client, though no binding uses one.`);
  },
  close: async () => undefined,
};

/**
 * Opens clients on demand. The client's code is loaded only when a binding needs it: it is half of a host's start. A send in flight when the broker dies is not failed by the disconnect but by its time limit,
 * so that is short; waiting for the broker to come back is the receivers' own loop.
 */
export async function openServiceBusConnections(
  needed: boolean,
  environment: NodeJS.ProcessEnv,
): Promise<ServiceBusConnections> {
  if (!needed) return noConnections;
  const { ServiceBusClient } = await import('@azure/service-bus');
  const clients = new Map<string, ServiceBusClient>();
  return {
    get(setting) {
      const known = clients.get(setting);
      if (known !== undefined) return known;
      const text = environment[setting];
      if (text === undefined || text === '') {
        throw new Error(`The app setting "${setting}" is not set: it must hold a Service Bus connection string.`);
      }
      const client = new ServiceBusClient(text, {
        retryOptions: { timeoutInMs: 8_000, maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 },
      });
      clients.set(setting, client);
      return client;
    },
    async close() {
      await Promise.allSettled([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
}
