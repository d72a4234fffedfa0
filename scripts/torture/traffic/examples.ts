import path from 'node:path';
import { ensureApplication } from '../../../cli/setup/application.ts';
import { makeExampleRepository } from '../../../examples/make-repository.ts';
import { readExampleApplication, readExamplePacket } from '../../../examples/read-example.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { git } from './repository.ts';
import { submit } from './requests.ts';
import { installStandard } from './setup.ts';

/** In place of the examples' own limits, which are those of an idle machine. */
const HANGS_SECONDS = 300;

type Example = 'parcel-rates' | 'address-labels';

/** The examples' packets, every line among them, and how each ends: the state, and the code of its conclusion where it has one. */
const PACKETS: readonly { readonly example: Example; readonly packet: string; readonly ends: string }[] = [
  { example: 'parcel-rates', packet: 'fix-rounding', ends: 'PR_READY' },
  { example: 'address-labels', packet: 'update-capitals', ends: 'PR_READY' },
  { example: 'parcel-rates', packet: 'already-fixed', ends: 'NO_OP already_true' },
  { example: 'parcel-rates', packet: 'edits-a-test', ends: 'ESCALATE tests_touched' },
  { example: 'parcel-rates', packet: 'rename-api', ends: 'PR_READY' },
  { example: 'parcel-rates', packet: 'missing-decision', ends: 'ESCALATE baseline_needs_a_decision' },
  { example: 'parcel-rates', packet: 'patient-test', ends: 'PR_READY' },
];

export type Examples = {
  readonly places: readonly { readonly application: string; readonly remote: string }[];
  /** Submits the packet whose turn it is. */
  give(number: number): Promise<string>;
  /** How the request of each id has to end. */
  readonly ends: ReadonlyMap<string, string>;
};

/** Both examples as the demo sets them up: repository with its history, declaration with its hidden scenario, the product's definitions. */
export async function setUpExamples(plane: TorturePlane, directory: string): Promise<Examples> {
  const operator = await plane.as('operator');
  const prepare = async (example: Example): Promise<{ readonly application: string; readonly remote: string }> => {
    const { path: remote } = await makeExampleRepository(path.join(directory, 'repositories'), example);
    git(remote, ['config', 'core.logAllRefUpdates', 'always']);
    const declared = await readExampleApplication(remote, example);
    const { id } = await ensureApplication(operator, {
      ...declared,
      checks: declared.checks.map((check) => ({ ...check, timeoutSeconds: HANGS_SECONDS })),
      scenarios: declared.scenarios.map((scenario) => ({ ...scenario, timeoutSeconds: HANGS_SECONDS })),
    });
    await installStandard(plane, id);
    return { application: id, remote };
  };
  const applications = {
    'parcel-rates': await prepare('parcel-rates'),
    'address-labels': await prepare('address-labels'),
  };
  const ends = new Map<string, string>();
  return {
    places: Object.values(applications),
    ends,
    async give(number) {
      const one = PACKETS[(number - 1) % PACKETS.length];
      if (one === undefined) throw new Error(`requests have numbers from 1 on, not ${number}`);
      const packet = await readExamplePacket(one.packet, one.example);
      const id = await submit(plane, applications[one.example].application, `example-${number}`, packet);
      ends.set(id, one.ends);
      return id;
    },
  };
}
