import path from 'node:path';
import { parse, stringify } from 'yaml';
import { loadBundle } from '../../shared/definitions/bundle.ts';
import type { Caller } from './caller.ts';

const DEFINITIONS = path.resolve(import.meta.dirname, '../../definitions');
const APPLY_LIMIT_MS = 60_000;

const declaration = {
  apiVersion: 'factory/v1',
  kind: 'Application',
  name: 'bench',
  repositories: [{ name: 'bench', codeHost: 'local', location: '/srv/repositories/bench.git' }],
  checks: [{ name: 'unit', kind: 'unit', command: ['node', '--test'] }],
};

type Callers = { readonly operator: Caller; readonly policyOwner: Caller };

/** An application with the default definitions and the given lines (name to text) installed, through the API as people do it. Answers its id. */
export async function installApplication(
  { operator, policyOwner }: Callers,
  lines: ReadonlyMap<string, string>,
): Promise<string> {
  const { files } = await loadBundle(DEFINITIONS);
  const more = new Map([...lines].map(([name, text]) => [`lines/${name}.yaml`, text]));
  const manifest = parse(files.get('manifest.yaml') ?? '') as { lines: string[] };
  const bundle = {
    ...Object.fromEntries(files),
    ...Object.fromEntries(more),
    'manifest.yaml': stringify({ ...manifest, lines: [...manifest.lines, ...more.keys()] }),
  };
  const published = await policyOwner.call<{ digest: string }>('POST', '/definitions', { files: bundle });
  const application = await operator.call<{ id: string }>('POST', '/applications', declaration);
  const planned = await operator.call<{ id: string; approval: string; subject: string }>(
    'POST',
    `/applications/${application.id}/installations`,
    { definitions: published.digest },
  );
  await policyOwner.call('POST', `/approvals/${planned.approval}/decisions`, {
    decision: 'approve',
    subject: planned.subject,
    reason: 'To be measured.',
  });
  const deadline = performance.now() + APPLY_LIMIT_MS;
  for (;;) {
    const { state } = await operator.call<{ state: string }>('GET', `/installations/${planned.id}`);
    if (state === 'applied') return application.id;
    if (state === 'failed' || performance.now() > deadline)
      throw new Error(`the installation is ${state} and was to be applied`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
