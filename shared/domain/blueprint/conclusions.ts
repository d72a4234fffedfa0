import type { BlueprintFault } from './fault.ts';
import type { BlueprintOrder } from './order.ts';
import type { ProductLine } from './schema.ts';

/**
 * Every path of a line must end in a conclusion: a node that nothing follows is a `decide`, and some `decide` concludes
 * PR_READY, resting on the verdict of the line's own effect. A line without effects delivers nothing: it concludes NO_OP.
 */
export function conclusionFaults(line: ProductLine, order: BlueprintOrder): BlueprintFault[] {
  const faults: BlueprintFault[] = [];
  const followed = new Set(line.nodes.flatMap((node) => node.needs));
  const effects = new Set(
    line.nodes.filter((node) => node.kind === 'job' && node.pool === 'effect').map((node) => node.id),
  );
  let ready = false;
  for (const [index, node] of line.nodes.entries()) {
    const pointer = `/nodes/${index}`;
    if (!followed.has(node.id) && node.kind !== 'decide') {
      faults.push({
        pointer,
        code: 'no_conclusion',
        message: `Nothing follows "${node.id}", so a request that gets there never ends. Let a decide node need it.`,
      });
    }
    if (node.kind !== 'decide') continue;
    for (const [position, { when, conclude }] of node.cases.entries()) {
      if (conclude.state === 'NO_OP' && effects.size === 0) ready = true;
      if (conclude.state !== 'PR_READY') continue;
      ready = true;
      const rests = when.some(
        (condition) =>
          effects.has(condition.node) &&
          order.before.get(node.id)?.has(condition.node) &&
          !condition.verdict.includes('refuted') &&
          !condition.verdict.includes('skipped'),
      );
      if (effects.size === 0) {
        faults.push({
          pointer: `${pointer}/cases/${position}`,
          code: 'unproven_ready',
          message: `"${node.id}" concludes PR_READY, and no job of the line performs an effect: nothing would be delivered. Conclude NO_OP, or add the effect.`,
        });
      } else if (!rests) {
        faults.push({
          pointer: `${pointer}/cases/${position}`,
          code: 'unproven_ready',
          message: `"${node.id}" concludes PR_READY without asking how the effect ended. Add the verdict "delivered" of ${[...effects].join(' or ')} to its conditions.`,
        });
      }
    }
  }
  if (!ready)
    faults.push({
      pointer: '/nodes',
      code: 'never_ready',
      message:
        'No case of any decide node concludes PR_READY (or, in a line without effects, NO_OP), so no request of this line can succeed. Add one.',
    });
  return faults;
}
