import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import { commandsOutside } from '../domain/packet/allowed-commands.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { type TaskContext, TaskFailure } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import type { OpenedToolchains } from '../sandbox/toolchains/open-toolchains.ts';
import { type OpenedManager, openManager } from '../stations/packages/managers.ts';
import { openPackages, packageConcerns } from '../stations/packages/open-packages.ts';
import type { PackageCache } from '../stations/packages/package-cache.ts';
import { openEnvironment } from '../stations/python/open-environment.ts';
import { readDeclaration, readPacket } from '../stations/work/inputs.ts';
import { requireSandbox } from '../stations/work/sandbox-permission.ts';
import { createFindings, type Findings } from './findings.ts';
import { readHoldouts } from './holdout/read.ts';
import type { Bench } from './runs/bench.ts';
import { createRecorder } from './runs/recorder.ts';

/**
 * Reads what both verifier tasks start from. Refuses to start without a sandbox that this application allows, or for a packet that
 * would have commands run that nobody allowed: known before any work, so asked before any work.
 */
export async function openBench(context: TaskContext, driver: SandboxDriver): Promise<Bench> {
  const packet = await readPacket(context);
  const declaration = await readDeclaration(context);
  requireAllowedCommands(packet, declaration);
  const sandbox = await requireSandbox(driver, declaration);
  const { toolchains, environment, concerns } = await openEnvironment(context, driver, declaration);
  const opened = context.hasInput('packages') ? await openPackages(context) : null;
  const supply = opened?.description ?? null;
  const findings = createFindings();
  for (const { kind, detail } of concerns) findings.concern(kind, detail);
  if (supply !== null) tellOfPackages(findings, supply);
  const manager =
    supply?.manager === undefined
      ? null
      : await openManager(supply.manager, supply.lockfileVersion ?? '', context.directory);
  return {
    context,
    driver,
    sandbox,
    packet,
    declaration,
    holdouts: await readHoldouts(context),
    recorder: createRecorder(),
    findings,
    prepared: new Map(),
    toolchains: manager === null ? toolchains : withManager(toolchains, manager),
    environment,
    packages: opened?.directory ?? null,
    supply,
    resolved: opened?.target ?? null,
    preparation: { mayFail: (supply?.missingCount ?? 0) > 0, failed: false },
  };
}

/** The repository's package manager is at hand in every run, not only where packages are installed: checks are often its scripts. */
function withManager(toolchains: OpenedToolchains, manager: OpenedManager): OpenedToolchains {
  return {
    tools: {
      path: [...manager.tools.path, ...toolchains.tools.path],
      directories: [...manager.tools.directories, ...toolchains.tools.directories],
    },
    environment: { ...toolchains.environment, ...manager.environment },
    versions: { ...toolchains.versions, ...manager.versions },
  };
}

/** What of the packages could not be had, and that no lockfile of the repository says which they are. */
function tellOfPackages(findings: Findings, supply: PackageCache): void {
  for (const { kind, detail } of packageConcerns(supply)) findings.concern(kind, detail);
  for (const note of supply.notes ?? []) findings.caveat(note);
}

/** A command of the packet runs only when the packet's own boundary or the application names it word for word. */
function requireAllowedCommands(packet: Packet, declaration: ApplicationDeclaration): void {
  const [refused] = commandsOutside(packet, declaration);
  if (refused === undefined) return;
  throw new TaskFailure({
    kind: 'needs_human',
    code: 'COMMAND-NOT-ALLOWED',
    question: `validation.commands has ${JSON.stringify(refused.command).slice(0, 500)}, which is neither in boundary.allowedCommands nor a declared check. Allow it in the packet, or take it out?`,
  });
}
