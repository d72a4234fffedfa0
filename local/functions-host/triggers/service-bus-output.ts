import type { ServiceBusSender } from '@azure/service-bus';
import type { InvocationResult } from '../app/function-app.ts';
import type { BindingDescription, FunctionDescription } from '../app/function-description.ts';
import { textOption } from '../app/function-description.ts';
import type { TypedData } from '../app/typed-data.ts';
import { resolveSetting } from '../settings/local-settings.ts';
import type { ServiceBusConnections } from './service-bus-connection.ts';

/**
 * Sends what a run put into its Service Bus queue outputs: one message, or one an element when the value is an array.
 * Rejects when the broker did not take it, and the run then counts as failed.
 */
export function openOutputs(connections: ServiceBusConnections, environment: NodeJS.ProcessEnv) {
  const senders = new Map<string, ServiceBusSender>();
  const senderOf = (binding: BindingDescription): ServiceBusSender => {
    const setting = textOption(binding, 'connection') ?? 'AzureWebJobsServiceBus';
    const queue = resolveSetting(textOption(binding, 'queueName') ?? '', environment);
    const key = `${setting}\n${queue}`;
    const known = senders.get(key);
    if (known !== undefined) return known;
    const sender = connections.get(setting).createSender(queue);
    senders.set(key, sender);
    return sender;
  };
  return async (description: FunctionDescription, result: InvocationResult): Promise<void> => {
    const outputs = [...result.outputs, ...(result.returnValue ? [{ name: '$return', data: result.returnValue }] : [])];
    for (const { name, data } of outputs) {
      const binding = description.bindings[name];
      if (binding?.type.toLowerCase() !== 'servicebus') continue;
      const bodies = toBodies(data);
      if (bodies.length > 0) await senderOf(binding).sendMessages(bodies.map((body) => ({ body })));
    }
  };
}

/** Bytes on the wire, as the real host sends them, so that any receiver reads the same text. */
function toBodies(data: TypedData): Buffer[] {
  if (data.bytes !== undefined) return [Buffer.from(data.bytes)];
  if (data.string !== undefined) return [Buffer.from(data.string)];
  if (data.json === undefined)
    return data.int === undefined && data.double === undefined ? [] : [Buffer.from(String(data.int ?? data.double))];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [Buffer.from(data.json)];
  return value.map((item) => Buffer.from(typeof item === 'string' ? item : JSON.stringify(item)));
}
