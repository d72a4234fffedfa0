import path from 'node:path';
import { z } from 'zod';
import { ensureApplication } from '../../../cli/setup/application.ts';
import { planInstallation, publish, untilApplied } from '../../../cli/setup/install.ts';
import { bundleOf, type DefinitionsBundle, loadBundle } from '../../../shared/definitions/bundle.ts';
import { type ApplicationDeclaration, applicationDeclaration } from '../../../shared/domain/application/declaration.ts';
import type { TorturePlane } from '../plane/plane.ts';

const DEFINITIONS = path.resolve(import.meta.dirname, '../../../definitions');

/** A line of so many equal jobs, and one that ends the request on a receipt. */
const fanLine = (count: number): string => `schemaVersion: 1
line: bench-fan-${count}
title: ${count} jobs at once
outputFormats: [note]
nodes:
  - { id: fan, kind: fan_out, count: ${count}, pool: fetch, task: fetch-source }
  - { id: verify, kind: job, needs: [fan], pool: verify, task: bench-verify }
  - id: done
    kind: decide
    needs: [verify]
    cases:
      - when: [{ node: verify, verdict: [ok] }]
        conclude: { state: NO_OP, code: not_applicable }
`;

/** Registers an application over a remote and installs the product's definitions on it, with a fan-out line for each count. */
export async function setUp(
  plane: TorturePlane,
  of: {
    readonly name: string;
    readonly remote: string;
    readonly fanOuts?: readonly number[];
    /** How long an effect gate of the patch line waits before it asks anew; as the product has it when absent. */
    readonly gateExpiryMs?: number;
    readonly environments?: ApplicationDeclaration['environments'];
  },
): Promise<string> {
  const operator = await plane.as('operator');
  const declaration = applicationDeclaration.parse({
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: of.name,
    repositories: [{ name: 'things', codeHost: 'local', location: of.remote }],
    checks: [{ name: 'unit', kind: 'unit', command: ['true'] }],
    testFiles: ['test/**'],
    ...(of.environments === undefined ? {} : { environments: of.environments }),
  });
  const { id } = await ensureApplication(operator, declaration);
  const standard = await loadBundle(DEFINITIONS);
  const fanOuts = [...new Set(of.fanOuts ?? [])];
  const files = new Map(standard.files);
  const named = fanOuts.map((count) => `  - lines/bench-fan-${count}.yaml\n`).join('');
  files.set('manifest.yaml', (files.get('manifest.yaml') ?? '').replace('lines:\n', `lines:\n${named}`));
  for (const count of fanOuts) files.set(`lines/bench-fan-${count}.yaml`, fanLine(count));
  if (of.gateExpiryMs !== undefined)
    files.set('lines/patch.yaml', withExpiry(files.get('lines/patch.yaml') ?? '', of.gateExpiryMs));
  await install(plane, id, bundleOf(files));
  return id;
}

/** Installs the product's definitions as they are. */
export async function installStandard(plane: TorturePlane, application: string): Promise<void> {
  await install(plane, application, await loadBundle(DEFINITIONS));
}

async function install(plane: TorturePlane, application: string, bundle: DefinitionsBundle): Promise<void> {
  const [operator, policyOwner] = await Promise.all([plane.as('operator'), plane.as('policy-owner')]);
  await publish(policyOwner, bundle);
  const planned = await planInstallation(operator, application, bundle.digest);
  if (planned.approval !== null)
    z.object({ state: z.string() }).parse(
      await policyOwner.call('POST', `/approvals/${planned.approval}/decisions`, {
        json: { decision: 'approve', subject: planned.subject, reason: 'For the run.' },
      }),
    );
  await untilApplied(operator, planned.id);
}

function withExpiry(line: string, milliseconds: number): string {
  const changed = line.replace('    subject: effect\n', `    subject: effect\n    expiryMs: ${milliseconds}\n`);
  if (changed === line) throw new Error('the patch line has no effect gate to set an expiry on');
  return changed;
}
