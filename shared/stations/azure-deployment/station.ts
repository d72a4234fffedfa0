import type { Environment } from '../../domain/application/declaration.ts';
import { environmentOf, planPath } from '../../domain/deployment/environment.ts';
import { readPlan } from '../../domain/deployment/plan.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { writeTreeFiles } from '../../sandbox/git/tree-files.ts';
import { gitVersion } from '../../sandbox/git/version.ts';
import type { Intention, Station, StationWork } from '../station.ts';
import { requireLine } from '../work/inputs.ts';

/**
 * Puts the plan that the effector's look gave out into the tree, beside the files it is a plan of: from there on it is a change like any
 * other, whose very bytes are tested, shown, approved and applied. Runs nothing.
 */
export const azureDeploymentStation: Station = {
  name: 'azure-deployment',
  probe: async () => ({ ready: true }),
  tool: ({ base }) => gitVersion(base.repository),
  intend,
  implement,
};

async function intend(work: StationWork): Promise<Intention> {
  const { target, summary } = readPlan(await plan(work));
  const counts = Object.entries(summary).map(([type, count]) => `${type} ${count}`);
  const why = `what deploying ${target.environment} to the stack ${target.stack} would change: ${counts.join(', ')}`;
  return { verdict: 'ok', changes: [{ path: planPath(environment(work)), why: why.slice(0, 1_000) }], decisions: [] };
}

async function implement(work: StationWork): Promise<TreeId> {
  const { base, context } = work;
  const files = { [planPath(environment(work))]: await plan(work) };
  return writeTreeFiles(base.repository, base.tree, files, context.signal);
}

const plan = async ({ context }: StationWork): Promise<string> =>
  Buffer.from(await context.input('deployment')).toString('utf8');

function environment({ packet, declaration }: StationWork): Environment {
  requireLine(packet, 'azure-deployment');
  const found = environmentOf(packet, declaration);
  if (found !== undefined) return found;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'ENVIRONMENT-UNFIT',
    message: `The application ${declaration.name} does not declare the packet's environment.`,
  });
}
