import type { Command } from 'commander';
import { parsePacket } from '../../shared/intake/packet.ts';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import type { RequestResource } from '../api/resources.ts';
import { exitCodeOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { DEFAULT_DEFINITIONS, globalOptions } from '../options.ts';
import { dim, note, print, printJson } from '../output/terminal.ts';
import { decideGate, type GateDecider, secondPerson } from '../request/decide-gates.ts';
import { readPacketFile } from '../request/packet-file.ts';
import { endingLines, progressPrinter } from '../request/progress.ts';
import { submitPacketFile } from '../request/submit.ts';
import { watchRequest } from '../request/watch.ts';
import {
  type ApplicationResource,
  declarationFrom,
  ensureApplication,
  findApplication,
  keepDeclared,
} from '../setup/application.ts';
import { detect, detectedLines } from '../setup/detection/detect.ts';
import { openTree } from '../setup/detection/tree.ts';
import { detectedDeclaration } from '../setup/detection/write-declaration.ts';
import { defaultBranchOf, detachedHead, gitDirectoryOf, headOf } from '../setup/git-directory.ts';
import { planInstallation, publish, untilApplied } from '../setup/install.ts';
import { isCalled } from '../setup/repository-name.ts';
import { definitionsIn } from './definitions-directory.ts';

export type RunOptions = {
  readonly repository: string;
  readonly declaration?: string;
  readonly yes: boolean;
  readonly limit: number;
};

async function applicationFor(
  operator: PlaneApi,
  data: string,
  file: string,
  options: RunOptions,
): Promise<ApplicationResource> {
  const { bytes, mediaType } = readPacketFile(file);
  const { packet } = parsePacket(bytes, mediaType);
  const second = secondPerson({ data, yes: options.yes });
  const directory = await gitDirectoryOf(options.repository);
  const location = directory.common;
  const head = headOf(directory);
  const { ref } = packet.scope;
  if (ref === undefined && 'detachedAt' in head) throw detachedHead(directory, head.detachedAt);
  if (options.declaration !== undefined)
    return await ensureApplication(operator, declarationFrom(options.declaration, location), second);
  const known = await findApplication(operator, packet.scope.repository);
  if (known !== undefined) {
    const auditor = await openPlaneApi({ data, as: 'auditor' });
    const { application, moved, defaultBranch } = await keepDeclared(
      operator,
      auditor,
      known,
      location,
      (registeredAt) => requireCalled(known.name, location, options.repository, registeredAt),
      second,
    );
    note(
      `${known.name} is registered: what is declared of it is kept${moved ? `, at ${location} from now on` : ''}. Change it with --declaration.`,
    );
    if (ref === undefined && 'branch' in head && defaultBranch !== undefined && head.branch !== defaultBranch)
      note(
        `HEAD is on ${head.branch}; the packet names no branch in scope.ref, so the change is for ${defaultBranch}, as declared.`,
      );
    return application;
  }
  requireCalled(packet.scope.repository, location, options.repository);
  const defaultBranch = defaultBranchOf(directory, head, ref);
  const branch = ref ?? defaultBranch;
  const detected = detect(openTree(location, branch));
  for (const line of detectedLines(detected)) note(line);
  const subject = { name: packet.scope.repository, location, defaultBranch, ref: branch };
  return await ensureApplication(operator, detectedDeclaration(subject, detected));
}

/** A name that nothing about the repository bears is a slip of the packet or of the command: asked, and nothing is registered or moved. */
function requireCalled(name: string, location: string, given: string, registeredAt?: string): void {
  if (isCalled(location, given, name)) return;
  throw new CommandFailure(
    `The packet is for ${name}, ${registeredAt === undefined ? 'which is not registered' : `which is registered at ${registeredAt}`}, and nothing about the repository ${location} is called so. Correct scope.repository or --repository; or register it under that name first: factory register ${given} --name ${name}`,
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

async function seeThrough(
  requester: PlaneApi,
  id: string,
  decider: GateDecider,
  limitMs: number,
): Promise<RequestResource | undefined> {
  const show = progressPrinter(print);
  const asked = new Set<string>();
  let last: RequestResource | undefined;
  for await (const { request, nodes } of watchRequest(requester, id, { until: 'terminal', limitMs })) {
    show(request, nodes);
    last = request;
    if (request.state === 'terminal') for (const line of endingLines(request)) print(line);
    for (const { approval } of request.waitingFor) {
      if (asked.has(approval)) continue;
      asked.add(approval);
      await decideGate(decider, requester, approval);
    }
  }
  return last;
}

/** Registers, installs, submits and follows; the exit code says how the request ended. */
export async function runPacket(file: string, options: RunOptions, command: Command): Promise<void> {
  const { data } = globalOptions(command);
  const decider = { data, yes: options.yes };
  const application = await applicationFor(await openPlaneApi({ data, as: 'operator' }), data, file, options);
  await ensureInstalled(application, decider);
  const requester = await openPlaneApi(globalOptions(command));
  const id = await submitPacketFile(requester, file, application.id);
  print(`${id} ${dim(`on ${application.name}`)}`);
  const last = await seeThrough(requester, id, decider, options.limit * 1000);
  process.exitCode = exitCodeOf(last?.terminal ?? null);
  if (globalOptions(command).json) printJson(last ?? { id });
}
