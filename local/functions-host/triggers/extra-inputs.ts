import type { NamedData } from '../app/function-app.ts';
import type { FunctionDescription } from '../app/function-description.ts';

/**
 * The inputs of each function besides its trigger, made once: of all kinds only the durable client is carried. Throws at
 * the start on any other, naming the function.
 */
export function extraInputs(
  functions: readonly FunctionDescription[],
  clientBinding: string,
): (description: FunctionDescription) => readonly NamedData[] {
  const inputs = new Map<string, NamedData[]>();
  for (const { id, name, bindings, trigger } of functions) {
    const extra = Object.entries(bindings).filter(([key, { direction }]) => key !== trigger.name && direction === 'in');
    for (const [, { type }] of extra) {
      if (/^(durableClient|orchestrationClient)$/i.test(type)) continue;
      throw new Error(`Function "${name}": not supported yet by the embedded host: input of type ${type}`);
    }
    inputs.set(
      id,
      extra.map(([key]) => ({ name: key, data: { string: clientBinding } })),
    );
  }
  return ({ id }) => inputs.get(id) ?? [];
}
