import { type Figure, figure } from '../part.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { requestStates } from '../traffic/requests.ts';
import { checkAudit, checkEvidence } from './record.ts';
import { countRemote } from './remote.ts';
import type { StateCheck } from './state.ts';

/** Everything that must hold of a plane whose requests have ended, looked at from outside: at the remote, offline, in the database. Ends the plane. */
export async function checkWhole(
  plane: TorturePlane,
  of: {
    readonly directory: string;
    readonly remote: string;
    readonly application: string;
    readonly submitted: readonly string[];
    /** Those of them whose effects are not at the remote. */
    readonly elsewhere?: readonly string[];
    readonly state: StateCheck;
  },
): Promise<{ readonly figures: Figure[]; readonly violations: string[] }> {
  const requests = requestStates(plane);
  const open = requests.filter((request) => request.state !== 'terminal');
  const known = new Set(requests.map(({ id }) => id));
  const lost = of.submitted.filter((id) => !known.has(id));
  const ends = Map.groupBy(requests, (request) => request.terminal ?? request.state);
  const elsewhere = new Set(of.elsewhere);
  const remote = countRemote(
    of.remote,
    requests.filter(({ id }) => !elsewhere.has(id)),
  );
  const evidence = await checkEvidence(plane);
  const streams = [
    await checkAudit(plane, of.application, of.directory),
    await checkAudit(plane, 'tenant', of.directory),
  ];
  // Nothing may move while the rows are compared with each other.
  await plane.stop();
  const faults = of.state.check();
  const figures = [
    figure('requests', `${requests.length}: ${[...ends].map(([end, all]) => `${all.length} ${end}`).join(', ')}`),
    figure('lost', lost.length + open.length),
    figure(
      'at the remote',
      `${remote.branches} branches, ${remote.pullRequests} pull requests, ${remote.unusedNumbers} numbers unused`,
    ),
    figure('doubled effects', remote.doubled),
    figure('evidence bundles verified', `${evidence.verified} of ${requests.length}`),
    figure('audit events verified', streams.map((one) => `${one.events} (${one.anchored} anchored)`).join(' + ')),
    figure('state invariants broken', faults.length),
  ];
  const violations = [
    ...lost.map((id) => `request ${id} was accepted and is not there`),
    ...open.map(({ id, state }) => `request ${id} is still ${state}`),
    ...(known.size === new Set(of.submitted).size
      ? []
      : [`I22 ${of.submitted.length} submissions made ${known.size} requests`]),
    ...remote.faults,
    ...evidence.faults,
    ...streams.flatMap((one) => one.faults),
    ...faults,
  ];
  return { figures, violations };
}
