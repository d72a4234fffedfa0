import type { BlueprintFault } from './fault.ts';
import type { BlueprintOrder } from './order.ts';
import type { BlueprintNode, Condition, JobNode, ProductLine } from './schema.ts';
import { GATE_VERDICTS, type Tasks } from './tasks.ts';

/** The verdict of a validating task that an effect may rest on. */
const GOOD = 'valid';

/**
 * An effect job must itself demand, in its `when`, a valid receipt, sealed change evidence and its gate's yes: each from a node
 * that has ended before, in that order. Demanding it by order alone is not enough: a node can be skipped.
 */
export function effectFaults(line: ProductLine, order: BlueprintOrder, tasks: Tasks): BlueprintFault[] {
  const faults: BlueprintFault[] = [];
  for (const [index, node] of line.nodes.entries()) {
    if (node.kind === 'fan_out' && node.pool === 'effect') {
      faults.push({
        pointer: `/nodes/${index}/pool`,
        code: 'fanned_effect',
        message: `"${node.id}" would perform effects as a fan-out, and an approval covers one ordered list of effects. Use a job.`,
      });
    }
    if (node.kind === 'job' && node.pool === 'effect')
      faults.push(...jobFaults(node, `/nodes/${index}/when`, order, tasks));
  }
  return faults;
}

function jobFaults(node: JobNode, pointer: string, order: BlueprintOrder, tasks: Tasks): BlueprintFault[] {
  const demanded = (fits: (source: BlueprintNode) => boolean, verdicts: readonly string[]): string | undefined =>
    node.when.find(
      (condition) =>
        asksOnly(condition, verdicts) &&
        isBefore(order, condition.node, node.id) &&
        matches(order, condition.node, fits),
    )?.node;

  const faults: BlueprintFault[] = [];
  const missing = (code: string, what: string): void => {
    faults.push({
      pointer,
      code,
      message: `"${node.id}" performs an effect and does not demand ${what}. Add the condition to its when.`,
    });
  };
  const validates = (source: BlueprintNode): boolean =>
    source.kind === 'job' && source.pool === 'verify' && (tasks.get(source.task)?.verdicts.includes(GOOD) ?? false);
  const valid = demanded(validates, [GOOD]);
  const sealed = demanded((source) => source.kind === 'seal', ['sealed']);
  const gate = demanded((source) => source.kind === 'gate' && source.subject === 'effect', GATE_VERDICTS);
  if (valid === undefined) missing('unvalidated_effect', `the verdict "${GOOD}" of a validating job in pool verify`);
  if (sealed === undefined) missing('unsealed_effect', 'the verdict "sealed" of a change evidence node');
  if (gate === undefined) missing('ungated_effect', 'the verdict of an effect gate');
  if (valid && sealed && !isBefore(order, valid, sealed))
    faults.push({
      pointer,
      code: 'seal_before_validation',
      message: `"${sealed}" seals evidence before "${valid}" has ended, so the receipt is not in it. Let it need "${valid}".`,
    });
  if (sealed && gate && !isBefore(order, sealed, gate))
    faults.push({
      pointer,
      code: 'gate_before_seal',
      message: `"${gate}" asks for approval before "${sealed}" has sealed what is approved. Let it need "${sealed}".`,
    });
  return faults;
}

const asksOnly = (condition: Condition, verdicts: readonly string[]): boolean =>
  condition.verdict.every((word) => verdicts.includes(word));
const isBefore = (order: BlueprintOrder, earlier: string, later: string): boolean =>
  order.before.get(later)?.has(earlier) ?? false;
const matches = (order: BlueprintOrder, name: string, fits: (source: BlueprintNode) => boolean): boolean => {
  const source = order.nodes.get(name);
  return source !== undefined && fits(source);
};
