import { type Figure, figure } from '../part.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { requestStates } from '../traffic/requests.ts';
import { type AuditCheck, checkAudit, checkEvidence } from './record.ts';
import { countRemote } from './remote.ts';
import type { StateCheck } from './state.ts';

/** Everything that must hold of a plane whose requests have ended, looked at from outside: at the remote, offline, in the database. Ends the plane. */
export async function checkWhole(
  plane: TorturePlane,
  of: {
    readonly directory: string;
    /** Where the effects of which application happen. Those of an application that is not named are counted elsewhere. */
    readonly places: readonly { readonly application: string; readonly remote: string }[];
    readonly submitted: readonly string[];
    readonly state: StateCheck;
  },
): Promise<{ readonly figures: Figure[]; readonly violations: string[] }> {
  const requests = requestStates(plane);
  const open = requests.filter((request) => request.state !== 'terminal');
  const known = new Set(requests.map(({ id }) => id));
  const lost = of.submitted.filter((id) => !known.has(id));
  const ends = Map.groupBy(requests, (request) => request.terminal ?? request.state);
  const remotes = of.places.map(({ application, remote }) =>
    countRemote(
      remote,
      requests.filter((request) => request.application === application),
    ),
  );
  const sum = (what: 'branches' | 'pullRequests' | 'doubled' | 'unusedNumbers'): number =>
    remotes.reduce((total, remote) => total + remote[what], 0);
  const evidence = await checkEvidence(plane);
  const streams: AuditCheck[] = [];
  for (const stream of [...of.places.map(({ application }) => application), 'tenant'])
    streams.push(await checkAudit(plane, stream, of.directory));
  // Nothing may move while the rows are compared with each other.
  await plane.stop();
  const faults = of.state.check();
  const figures = [
    figure('requests', `${requests.length}: ${[...ends].map(([end, all]) => `${all.length} ${end}`).join(', ')}`),
    figure('lost', lost.length + open.length),
    figure(
      'at the remote',
      `${sum('branches')} branches, ${sum('pullRequests')} pull requests, ${sum('unusedNumbers')} numbers unused`,
    ),
    figure('doubled effects', sum('doubled')),
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
    ...remotes.flatMap(({ faults }) => faults),
    ...evidence.faults,
    ...streams.flatMap((one) => one.faults),
    ...faults,
  ];
  return { figures, violations };
}
