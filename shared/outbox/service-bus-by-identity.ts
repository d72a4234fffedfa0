import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import type { AzureCredential } from '../azure/credential.ts';

/** A namespace's host name, as the setting `<connection>__fullyQualifiedNamespace` of the Functions host carries it. */
const NAMESPACE = /^[a-z0-9][a-z0-9-]{4,48}[a-z0-9](\.[a-z0-9-]+)+$/i;

/** Against a broker that is away a send ends within 5 s; the outbox tries again. */
export const HINT_BUS: ServiceBusClientOptions = {
  retryOptions: { timeoutInMs: 5_000, maxRetries: 1, retryDelayInMs: 200 },
};

/**
 * A Service Bus client signed in by identity, with no shared key. The identity needs the role "Azure Service Bus Data Sender" on the queues it sends to.
 * Throws when the namespace is not a host name, as when a connection string was put in its place; the text given is not repeated.
 */
export function serviceBusByIdentity(fullyQualifiedNamespace: string, credential: AzureCredential): ServiceBusClient {
  if (!NAMESPACE.test(fullyQualifiedNamespace)) {
    throw new Error(
      'The Service Bus namespace is not a host name such as factory-plane.servicebus.windows.net. Give FACTORY_SERVICE_BUS__fullyQualifiedNamespace the host name alone, without sb:// and without keys.',
    );
  }
  return new ServiceBusClient(fullyQualifiedNamespace, credential, HINT_BUS);
}
