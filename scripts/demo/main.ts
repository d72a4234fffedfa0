import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { auditLines, exportStream } from '../../cli/actions/audit.ts';
import { CommandFailure, messageOf } from '../../cli/failure.ts';
import { tellFailure } from '../../cli/output/failure.ts';
import { bold, dim, interactive, print } from '../../cli/output/terminal.ts';
import { readKeys } from '../../cli/request/evidence-file.ts';
import { servePackages } from '../../examples/serve-packages.ts';
import { readManagement } from '../../local/functions-host/admin/management-file.ts';
import { type ExportVerdict, verifyExport } from '../../shared/audit/verify/file.ts';
import { INTERRUPTED } from './decide.ts';
import { runPackets, shownPackets } from './packets.ts';
import { type DemoPlane, startPlane } from './plane.ts';
import { runThroughPowerCut } from './power-cut.ts';
import { demoSandbox } from './sandbox.ts';
import { prepare } from './setup.ts';

const ANCHOR_TRIES = 20;
const ANCHOR_POLL_MS = 250;

const HELP = `npm run demo [-- --yes] [--keep]

  --yes    a second local identity decides; without it, and on a terminal, you do
  --keep   keep the plane's data directory and the repository, to look around in
`;

async function demo(options: { readonly yes: boolean; readonly keep: boolean }): Promise<void> {
  const startedAt = performance.now();
  const directory = mkdtempSync(path.join(tmpdir(), 'agent-factory-demo-'));
  const evidence = path.join(directory, 'evidence');
  const data = path.join(directory, 'plane');
  mkdirSync(evidence);
  const leaving = new AbortController();
  const decider = { asks: !options.yes && interactive(), leaving: leaving.signal };
  let plane: DemoPlane | undefined;
  const registry = await servePackages('address-labels');
  const environment = { FACTORY_NPM_REGISTRY: registry.url };
  const tidy = async (): Promise<void> => {
    await plane?.stop();
    await registry.close();
    if (!options.keep)
      for (const part of ['plane', 'repositories'])
        rmSync(path.join(directory, part), { recursive: true, force: true, maxRetries: 5 });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      leaving.abort();
      void leave(tidy);
    });
  try {
    heading('1. Every role as its own process');
    const sandbox = await demoSandbox();
    plane = await startPlane({ data, sandbox, environment });
    print(
      `Plane at ${plane.controlUrl}: ${plane
        .pids()
        .map(({ name, pid }) => `${name} ${dim(String(pid))}`)
        .join(', ')}.`,
    );
    if (!decider.asks)
      print('Nobody is asked: a second local identity decides where a person would, and each decision says so.');

    heading('2. Two repositories, and the definitions installed on each');
    const repositories = path.join(directory, 'repositories');
    const rates = await prepare(plane, repositories, sandbox, decider, 'parcel-rates');
    const labels = await prepare(plane, repositories, sandbox, decider, 'address-labels');
    print(`npm packages come from a registry that this demo serves itself, at ${registry.url}; nothing is downloaded.`);

    heading('3. Seven packets, at once');
    await runPackets(plane, shownPackets(rates, labels, sandbox), evidence, decider);

    heading('4. A request cut by SIGKILL of every process, in the middle of a job');
    await plane.stop();
    plane = undefined;
    plane = await runThroughPowerCut({ data, sandbox, application: rates, evidence, decider });

    heading('5. The audit record, verified offline');
    const verdict = await exportAnchored(plane, rates, evidence);
    for (const line of auditLines(verdict)) print(line);
    if (!verdict.ok) throw new CommandFailure('The audit does not verify.');
  } finally {
    await tidy();
  }
  print();
  print(
    `${bold('Done')} in ${Math.round((performance.now() - startedAt) / 1000)} s; every process has ended. Evidence, audit and keys are in ${evidence}`,
  );
  print(
    dim(
      `  npm run factory -- verify ${path.join(evidence, 'fix-rounding.evidence.json')} --keys ${path.join(evidence, 'keys.json')}`,
    ),
  );
  if (options.keep) print(dim(`  npm start -- --data ${data}`));
}

/** Ends what was started and leaves no data directory behind. A second signal ends at once. */
async function leave(tidy: () => Promise<void>): Promise<never> {
  print('Interrupted: ending every process.');
  await tidy().catch((error: unknown) => print(`Not everything could be removed: ${messageOf(error)}`));
  process.exit(INTERRUPTED);
}

/** Exports the application's audit stream once its newest events are anchored, and verifies it offline with keys read apart. */
async function exportAnchored(plane: DemoPlane, application: string, evidence: string): Promise<ExportVerdict> {
  const auditor = await plane.as('auditor');
  const keys = await readKeys(auditor);
  const file = path.join(evidence, 'audit.jsonl');
  writeFileSync(path.join(evidence, 'keys.json'), `${JSON.stringify(keys, null, 2)}\n`);
  // The timer takes an anchor every half minute; the demo does not wait for it.
  const { url, key } = readManagement(plane.layout.host('control'));
  await fetch(`${url}/admin/functions/anchor`, {
    method: 'POST',
    headers: { 'x-functions-key': key },
    body: '{"input":""}',
  });
  for (let tries = ANCHOR_TRIES; ; tries -= 1) {
    await exportStream(auditor, application, file);
    const verdict = await verifyExport(file, { keys });
    if (tries === 0 || !verdict.ok || verdict.streams.every(({ notYetAnchored }) => notYetAnchored === 0))
      return verdict;
    await new Promise((resolve) => setTimeout(resolve, ANCHOR_POLL_MS));
  }
}

function heading(text: string): void {
  print();
  print(bold(text));
}

try {
  const { values } = parseArgs({
    options: {
      yes: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) print(HELP);
  else await demo(values);
} catch (error) {
  process.exitCode = tellFailure(error);
}
