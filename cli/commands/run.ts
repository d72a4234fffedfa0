import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parsePacket } from '../../shared/intake/packet.ts';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { exitCodeOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { dim, note, print } from '../output/terminal.ts';
import { decideGate, type GateDecider } from '../request/decide-gates.ts';
import { endingLines, progressPrinter } from '../request/progress.ts';
import { mediaTypeOf, submitPacketFile } from '../request/submit.ts';
import { watchRequest } from '../request/watch.ts';
import {
  type ApplicationResource,
  declarationFrom,
  ensureApplication,
  gitDirectoryOf,
  plainDeclaration,
} from '../setup/application.ts';
import { planInstallation, publish, untilApplied } from '../setup/install.ts';
import { currentBranch, testCommandOf } from '../setup/repository.ts';
import { DEFAULT_DEFINITIONS, definitionsIn } from './definitions-directory.ts';

type RunOptions = {
  readonly repository: string;
  readonly declaration?: string;
  readonly yes: boolean;
  readonly limit: string;
};

/** run: everything from a packet and a repository to the end of the request. */
export function registerRunCommand(program: Command): void {
  program
    .command('run <packet>')
    .description('run a task packet on a git repository of this machine, and follow it to its end')
    .requiredOption(
      '--repository <path>',
      'a bare repository or a working copy; the branch factory/<request> is pushed to it',
    )
    .option(
      '--declaration <file>',
      'application declaration (YAML); without it one is made: npm test, where there is a test script',
    )
    .option('--yes', 'let local identities approve what waits for a person', false)
    .option('--limit <seconds>', 'stop waiting after so long; the request goes on', '86400')
    .action(async (file: string, options: RunOptions, command: Command) => {
      const { data } = globalOptions(command);
      const decider = { data, yes: options.yes };
      const application = await applicationFor(await openPlaneApi({ data, as: 'operator' }), file, options);
      await ensureInstalled(application, decider);
      const requester = await openPlaneApi(globalOptions(command));
      const id = await submitPacketFile(requester, file, application.id);
      print(`${id} ${dim(`on ${application.name}`)}`);
      process.exitCode = await seeThrough(requester, id, decider, Number(options.limit) * 1000);
    });
}

async function applicationFor(operator: PlaneApi, file: string, options: RunOptions): Promise<ApplicationResource> {
  const { packet } = parsePacket(readFileSync(file), mediaTypeOf(file));
  const location = gitDirectoryOf(options.repository);
  if (options.declaration !== undefined)
    return await ensureApplication(operator, declarationFrom(options.declaration, location));
  const defaultBranch = currentBranch(location);
  const branch = packet.scope.ref ?? defaultBranch;
  const checks = testCommandOf(location, branch);
  if (checks.length === 0)
    note(
      `${location} has no test script on ${branch}: no check is declared, so that only what the packet brings is run.`,
    );
  return await ensureApplication(
    operator,
    plainDeclaration({ name: packet.scope.repository, location, defaultBranch, checks }),
  );
}

/** Installs the default definitions where nothing is installed yet; what is installed stays as it is. */
async function ensureInstalled(application: ApplicationResource, decider: GateDecider): Promise<void> {
  if (application.definitions !== null) return;
  const operator = await openPlaneApi({ data: decider.data, as: 'operator' });
  const policyOwner = await openPlaneApi({ data: decider.data, as: 'policy-owner' });
  const bundle = await definitionsIn(DEFAULT_DEFINITIONS);
  await publish(policyOwner, bundle);
  const planned = await planInstallation(operator, application.id, bundle.digest);
  print(`Nothing is installed on ${application.name} yet: the default definitions ${dim(bundle.digest)} are planned.`);
  if (
    planned.approval !== null &&
    planned.state === 'planned' &&
    !(await decideGate(decider, policyOwner, planned.approval))
  )
    throw new CommandFailure(
      'Definitions have to be approved before a packet can be run. Approve them as above, or run again with --yes.',
    );
  await untilApplied(operator, planned.id);
}

async function seeThrough(requester: PlaneApi, id: string, decider: GateDecider, limitMs: number): Promise<number> {
  const show = progressPrinter(print);
  const asked = new Set<string>();
  let terminal: string | null = null;
  for await (const { request, nodes } of watchRequest(requester, id, { until: 'terminal', limitMs })) {
    show(request, nodes);
    terminal = request.terminal;
    if (request.state === 'terminal') for (const line of endingLines(request)) print(line);
    for (const { approval } of request.waitingFor) {
      if (asked.has(approval)) continue;
      asked.add(approval);
      await decideGate(decider, requester, approval);
    }
  }
  return exitCodeOf(terminal);
}
