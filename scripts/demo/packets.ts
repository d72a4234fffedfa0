import { fileURLToPath } from 'node:url';
import { ApiProblem } from '../../cli/api/api-problem.ts';
import type { PlaneApi } from '../../cli/api/plane-api.ts';
import type { RequestResource } from '../../cli/api/resources.ts';
import { CommandFailure } from '../../cli/failure.ts';
import { dim, print } from '../../cli/output/terminal.ts';
import { submitPacketFile } from '../../cli/request/submit.ts';
import { watchRequest } from '../../cli/request/watch.ts';
import type { SandboxName } from '../../cli/supervision/process-plans.ts';
import { type Decider, decideOn } from './decide.ts';
import type { DemoPlane } from './plane.ts';
import { showEnding } from './show.ts';

const LIMIT_MS = 180_000;

export type ShownPacket = {
  readonly name: string;
  readonly application: string;
  readonly file: string;
  /** How it has to end, to show what it is there to show. */
  readonly ends: string;
};

const ENDINGS = {
  'fix-rounding': 'PR_READY',
  'already-fixed': 'NO_OP',
  'missing-decision': 'ESCALATE',
  'edits-a-test': 'ESCALATE',
  'hanging-test': 'RETRYABLE_FAILURE',
} as const;

export const packetFile = (name: string, example = 'parcel-rates'): string =>
  fileURLToPath(new URL(`../../examples/${example}/packets/${name}.yaml`, import.meta.url));

/** The packets of the demo, by the application each is for. An update is resolved in a sandbox or not at all. */
export function shownPackets(rates: string, labels: string, sandbox: SandboxName): ShownPacket[] {
  const packets = Object.entries(ENDINGS).map(([name, ends]) => ({
    name,
    application: rates,
    file: packetFile(name),
    ends,
  }));
  const update = {
    name: 'update-capitals',
    application: labels,
    file: packetFile('update-capitals', 'address-labels'),
    ends: sandbox === 'process' ? 'ESCALATE' : 'PR_READY',
  };
  return [...packets, update];
}

/** Submits the packets, decides what waits for a person, and shows how each ended. */
export async function runPackets(
  plane: DemoPlane,
  packets: readonly ShownPacket[],
  evidence: string,
  decider: Decider,
): Promise<void> {
  const [requester, approver] = [await plane.as('requester'), await plane.as('approver')];
  const [first] = packets;
  if (first !== undefined) await showRefusal(requester, first.application);
  const submitted: (ShownPacket & { readonly id: string })[] = [];
  for (const packet of packets) {
    const id = await submitPacketFile(requester, packet.file, packet.application);
    submitted.push({ ...packet, id });
    print(`${packet.name.padEnd(18)} ${dim(id)}`);
  }
  const gate = turnstile();
  const ended = await Promise.all(
    submitted.map(async ({ name, id, ends }) => ({
      name,
      ends,
      request: await seeThrough(requester, approver, name, id, (approval) =>
        gate(() => decideOn(approver, approval, decider)),
      ),
    })),
  );
  for (const { name, ends, request } of ended) {
    await showEnding(requester, request, name, evidence);
    expectEnding(name, request, decider.asks ? [ends, 'REJECTED'] : [ends]);
  }
}

export function expectEnding(name: string, request: RequestResource, expected: readonly string[]): void {
  if (request.terminal === null || !expected.includes(request.terminal))
    throw new CommandFailure(
      `${name} ended as ${request.terminal ?? request.state}; ${expected.join(' or ')} was expected.`,
    );
}

/** Follows a request to its end, a line a phase; every approval on the way is handed to `onApproval` once. */
export async function seeThrough(
  requester: PlaneApi,
  approver: PlaneApi,
  name: string,
  id: string,
  onApproval: (approval: string) => Promise<void>,
): Promise<RequestResource> {
  const decided = new Set<string>();
  let phase = '';
  for await (const { request } of watchRequest(requester, id, { until: 'terminal', limitMs: LIMIT_MS })) {
    if (request.phase !== phase) {
      phase = request.phase;
      print(dim(`  ${name.padEnd(18)} ${phase.replaceAll('_', ' ')}`));
    }
    if (request.state === 'terminal') return request;
    for (const { approval } of request.waitingFor) {
      if (decided.has(approval)) continue;
      decided.add(approval);
      print(`  ${name} waits for a decision by ${approver.identity}:`);
      await onApproval(approval);
    }
  }
  throw new CommandFailure(`${name} (${id}) did not end within ${LIMIT_MS / 1000} s.`);
}

async function showRefusal(requester: PlaneApi, application: string): Promise<void> {
  try {
    await submitPacketFile(requester, packetFile('malformed'), application);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 422) throw error;
    print(`malformed          refused with ${error.status} ${error.code}, nothing was started:`);
    for (const { pointer, message } of error.faults) print(`    ${pointer}: ${message}`);
    return;
  }
  throw new CommandFailure('The malformed packet was accepted.');
}

/** Lets one through at a time, so that two questions never share the terminal. */
function turnstile(): (step: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (step) => {
    last = last.then(step, step);
    return last;
  };
}
