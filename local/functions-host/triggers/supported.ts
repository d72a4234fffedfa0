import type { FunctionDescription } from '../app/function-description.ts';
import { textOption, triggerType } from '../app/function-description.ts';
import { isLoopback } from '../http/local-only.ts';

/** Triggers this host carries, in lower case. */
const supportedTriggers = new Set([
  'httptrigger',
  'timertrigger',
  'servicebustrigger',
  'orchestrationtrigger',
  'activitytrigger',
  // Runs where Azure adds an instance to those that serve; one machine never does, and neither do Core Tools.
  'warmuptrigger',
]);

/** Refuses at the start what could only fail later, or be open to everyone. `host` is the address listened on. */
export function checkFunctions(functions: readonly FunctionDescription[], host: string): void {
  for (const description of functions) {
    if (!supportedTriggers.has(triggerType(description))) throw unsupported(description, description.trigger.type);
    checkOutputs(description);
    if (isLoopback(host) || !asksForKey(description)) continue;
    throw new Error(
      `Function "${description.name}" asks for a key, this host has no keys, and --host ${host} is open to others. Use --host 127.0.0.1, or make the route anonymous and check callers in code.`,
    );
  }
}

/** Whether any binding needs the Service Bus client. */
export function usesServiceBus(functions: readonly FunctionDescription[]): boolean {
  return functions.some(({ bindings }) => Object.values(bindings).some(({ type }) => /^serviceBus/i.test(type)));
}

function checkOutputs(description: FunctionDescription): void {
  for (const binding of Object.values(description.bindings)) {
    const type = binding.type.toLowerCase();
    if (binding.direction !== 'out' || type === 'http') continue;
    if (type !== 'servicebus') throw unsupported(description, `output of type ${binding.type}`);
    if (textOption(binding, 'queueName') === undefined) throw unsupported(description, 'output to a Service Bus topic');
  }
}

/** A route whose level is not anonymous: on loopback it is served without a key, as Core Tools does. */
function asksForKey(description: FunctionDescription): boolean {
  if (triggerType(description) !== 'httptrigger') return false;
  return (textOption(description.trigger, 'authLevel') ?? 'anonymous').toLowerCase() !== 'anonymous';
}

function unsupported({ name }: FunctionDescription, what: string): Error {
  return new Error(`Function "${name}": not supported yet by the embedded host: ${what}`);
}
