import type { PlaneApi } from '../../cli/api/plane-api.ts';
import { readList } from '../../cli/api/read.ts';
import { jobResource } from '../../cli/api/resources.ts';
import { CommandFailure } from '../../cli/failure.ts';
import { dim, print } from '../../cli/output/terminal.ts';
import { submitPacketFile } from '../../cli/request/submit.ts';
import type { SandboxName } from '../../cli/supervision/process-plans.ts';
import { type Decider, decideOn } from './decide.ts';
import { expectEnding, packetFile, seeThrough } from './packets.ts';
import { type DemoPlane, startPlane } from './plane.ts';
import { showEnding } from './show.ts';

/** So short that a job of the patient packet, which takes some seven seconds, outlasts three of them. */
const LEASE_SECONDS = 2;
const NAME = 'patient-test';
const JOB_LIMIT_MS = 60_000;
/** Into the job: its lease was renewed by then, and its tests are running. */
const CUT_AFTER_MS = 3_000;

/** Submits the patient packet, kills every process while its validation runs, starts everything again, and sees it finish. */
export async function runThroughPowerCut(options: {
  readonly data: string;
  readonly sandbox: SandboxName;
  readonly application: string;
  readonly evidence: string;
  readonly decider: Decider;
}): Promise<DemoPlane> {
  const { data, sandbox, application, evidence, decider } = options;
  const environment = { FACTORY_LEASE_SECONDS: String(LEASE_SECONDS), FACTORY_HINT_SECONDS: String(LEASE_SECONDS) };
  const before = await startPlane({ data, sandbox, environment });
  let cut = false;
  try {
    print(`Started again with leases of ${LEASE_SECONDS} s.`);
    const requester = await before.as('requester');
    const id = await submitPacketFile(requester, packetFile(NAME), application);
    print(`${NAME.padEnd(18)} ${dim(id)}`);
    const job = await untilLeased(requester, id, 'validate');
    await new Promise((resolve) => setTimeout(resolve, CUT_AFTER_MS));
    const killed = before.pids();
    await before.cut();
    cut = true;
    print(
      `SIGKILL to ${killed.map(({ name }) => name).join(', ')}, ${CUT_AFTER_MS / 1000} s into job ${dim(job)} (validate).`,
    );
    const plane = await startPlane({ data, sandbox, environment });
    print('Everything was started again.');
    const [again, approver] = [await plane.as('requester'), await plane.as('approver')];
    const request = await seeThrough(again, approver, NAME, id, (approval) => decideOn(approver, approval, decider));
    await showEnding(again, request, NAME, evidence);
    expectEnding(NAME, request, decider.asks ? ['PR_READY', 'REJECTED'] : ['PR_READY']);
    const validated = (await readList(again, jobResource, `/requests/${id}/jobs`)).find((each) => each.id === job);
    print(
      `  job ${dim(job)} ended as ${validated?.state ?? 'gone'} in its lease epoch ${validated?.epoch ?? '?'}: the killed worker's lease ran out, and another took the work.`,
    );
    return plane;
  } finally {
    if (!cut) await before.stop();
  }
}

async function untilLeased(requester: PlaneApi, request: string, node: string): Promise<string> {
  const deadline = performance.now() + JOB_LIMIT_MS;
  while (performance.now() < deadline) {
    const job = (await readList(requester, jobResource, `/requests/${request}/jobs`)).find(
      (each) => each.node === node && each.state === 'leased',
    );
    if (job !== undefined) return job.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new CommandFailure(`The job ${node} of ${request} was not claimed within ${JOB_LIMIT_MS / 1000} s.`);
}
