import { LIMITS } from '../limits.ts';
import { conclusionFaults } from './conclusions.ts';
import { effectFaults } from './effects.ts';
import type { BlueprintFault } from './fault.ts';
import { type BlueprintOrder, orderOf } from './order.ts';
import type { BlueprintNode, Condition, ProductLine } from './schema.ts';
import {
  DECIDE_VERDICTS,
  FAN_OUT_VERDICTS,
  GATE_VERDICTS,
  SEAL_OUTPUTS,
  SEAL_VERDICTS,
  SKIPPED,
  TASKS,
  type Tasks,
} from './tasks.ts';

/** Pools of the role that performs effects (POOLS_OF_ROLE of the job protocol). */
const EFFECTOR_POOLS: readonly string[] = ['fetch', 'effect'];

/**
 * What is wrong with a product line's blueprint; nothing when it can be installed. Checked: ids are unique; needs form no
 * circle; conditions, inputs, rework and risk refer to nodes that have ended before; tasks, pools, verdicts and outputs exist;
 * every path ends in a conclusion; an effect stands behind a valid receipt, sealed evidence and its gate.
 */
export function validateBlueprint(line: ProductLine, tasks: Tasks = TASKS): readonly BlueprintFault[] {
  const { order, faults } = orderOf(line);
  if (order === undefined) return faults;
  for (const [index, node] of line.nodes.entries()) nodeFaults(node, `/nodes/${index}`, order, tasks, faults);
  faults.push(...conclusionFaults(line, order), ...effectFaults(line, order, tasks));
  return faults;
}

function nodeFaults(
  node: BlueprintNode,
  pointer: string,
  order: BlueprintOrder,
  tasks: Tasks,
  faults: BlueprintFault[],
): void {
  const before = order.before.get(node.id) ?? new Set();
  const earlier = (name: string, at: string, what: string): BlueprintNode | undefined => {
    const found = order.nodes.get(name);
    if (found === undefined)
      faults.push({
        pointer: at,
        code: 'unknown_node',
        message: `"${node.id}" names "${name}" as ${what}, and no node has that id.`,
      });
    else if (!before.has(name))
      faults.push({
        pointer: at,
        code: 'not_earlier',
        message: `"${node.id}" names "${name}" as ${what}, which need not have ended before it begins. Add it (or a node after it) to needs.`,
      });
    else return found;
    return undefined;
  };
  const condition = ({ node: name, verdict }: Condition, at: string): void => {
    const found = earlier(name, at, 'a condition');
    const possible = found && verdictsOf(found, tasks);
    for (const word of possible ? verdict : []) {
      if (possible?.includes(word)) continue;
      faults.push({
        pointer: at,
        code: 'unknown_verdict',
        message: `"${name}" never ends with "${word}"; it ends with one of ${possible?.join(', ')}.`,
      });
    }
  };

  for (const [index, item] of node.when.entries()) condition(item, `${pointer}/when/${index}`);
  if (node.kind === 'decide') {
    for (const [index, item] of node.cases.entries())
      for (const [position, asked] of item.when.entries())
        condition(asked, `${pointer}/cases/${index}/when/${position}`);
  }
  if (node.kind === 'gate' && node.riskFrom !== undefined) {
    const found = earlier(node.riskFrom, `${pointer}/riskFrom`, 'the source of its risk');
    if (found !== undefined && found.kind !== 'job')
      faults.push({
        pointer: `${pointer}/riskFrom`,
        code: 'no_facts',
        message: `"${node.id}" computes its risk from "${found.id}", a ${found.kind}; only a job records facts.`,
      });
  }
  if (node.kind === 'job' || node.kind === 'fan_out' || node.kind === 'seal') {
    for (const [name, { node: source, output }] of Object.entries(node.inputs)) {
      const at = `${pointer}/inputs/${name}`;
      const found = earlier(source, at, `the source of input "${name}"`);
      const possible = found && outputsOf(found, tasks);
      if (possible && !possible.includes(output))
        faults.push({
          pointer: at,
          code: 'unknown_output',
          message: `"${source}" leaves no output "${output}"; it leaves ${possible.join(', ') || 'none'}.`,
        });
    }
  }
  if (node.kind === 'job' || node.kind === 'fan_out') {
    // Where they run as functions, what starts such a job ends it a while after this.
    if (EFFECTOR_POOLS.includes(node.pool) && node.timeoutMs > LIMITS.effect.jobMs)
      faults.push({
        pointer: `${pointer}/timeoutMs`,
        code: 'too_long',
        message: `"${node.id}" may take ${node.timeoutMs} ms; a job of pool ${node.pool} is given ${LIMITS.effect.jobMs} at most.`,
      });
    const task = tasks.get(node.task);
    if (task === undefined)
      faults.push({
        pointer: `${pointer}/task`,
        code: 'unknown_task',
        message: `No worker knows the task "${node.task}". Known: ${[...tasks.keys()].join(', ')}.`,
      });
    else if (task.pool !== node.pool)
      faults.push({
        pointer: `${pointer}/pool`,
        code: 'wrong_pool',
        message: `The task "${node.task}" runs in pool ${task.pool}, not ${node.pool}: another role holds what it needs.`,
      });
  }
  if (node.kind === 'fan_out' && typeof node.count !== 'number')
    earlier(node.count.node, `${pointer}/count`, 'the source of its count');
  if (node.kind === 'job' && node.rework !== undefined) {
    earlier(node.rework.to, `${pointer}/rework/to`, 'the node to rework');
    const possible = verdictsOf(node, tasks);
    for (const word of possible ? node.rework.verdict : []) {
      if (!possible?.includes(word))
        faults.push({
          pointer: `${pointer}/rework/verdict`,
          code: 'unknown_verdict',
          message: `"${node.id}" never ends with "${word}", so it is never reworked for it.`,
        });
    }
  }
}

/** How a node can end; undefined when its task is not known (which is a fault of its own). */
function verdictsOf(node: BlueprintNode, tasks: Tasks): readonly string[] | undefined {
  const own = endings(node, tasks);
  return own && node.when.length > 0 ? [...own, SKIPPED] : own;
}

function endings(node: BlueprintNode, tasks: Tasks): readonly string[] | undefined {
  switch (node.kind) {
    case 'job':
      return tasks.get(node.task)?.verdicts;
    case 'gate':
      return GATE_VERDICTS;
    case 'decide':
      return DECIDE_VERDICTS;
    case 'seal':
      return SEAL_VERDICTS;
    case 'fan_out':
      return FAN_OUT_VERDICTS;
  }
}

function outputsOf(node: BlueprintNode, tasks: Tasks): readonly string[] | undefined {
  if (node.kind === 'job') return tasks.get(node.task)?.outputs;
  return node.kind === 'seal' ? SEAL_OUTPUTS : [];
}
