import { type ApplicationDeclaration, applicationDeclaration } from '../../domain/application/declaration.ts';
import { isCommitRef } from '../../domain/packet/branch.ts';
import { type Packet, packetSchema } from '../../domain/packet/schema.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';
import type { CodeHost } from './code-host.ts';
import { openLocalCodeHost } from './local/local-code-host.ts';

/** The repository a packet is about, as its application declares it. */
export type Repository = {
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  readonly name: string;
  /** Branch the change is for: what a pull request is opened against. */
  readonly branch: string;
  /** The commit that the packet names as its base; null where it is the tip of the branch. */
  readonly commit: string | null;
  readonly declared: ApplicationDeclaration['repositories'][number];
};

/** Reads packet and declaration of a job and finds the repository. Nothing else a job brings names a location. */
export async function repositoryOf(context: TaskContext): Promise<Repository> {
  const { packet, declaration } = await readTask(context);
  const { repository: name, ref } = packet.scope;
  const declared = declaration.repositories.find((repository) => repository.name === name);
  if (declared === undefined) {
    const known = declaration.repositories.map((repository) => repository.name).join(', ');
    throw new TaskFailure({
      kind: 'terminal',
      code: 'REPOSITORY-UNKNOWN',
      message: `The packet names the repository ${name}; the application ${declaration.name} has ${known}.`,
    });
  }
  const commit = ref !== undefined && isCommitRef(ref) ? ref : null;
  const branch = commit === null && ref !== undefined ? ref : declared.defaultBranch;
  return { packet, declaration, name, branch, commit, declared };
}

/** @throws CodeHostUnreachable */
export function openCodeHost({ declared }: Repository): Promise<CodeHost> {
  return openLocalCodeHost(declared.location);
}

/** What the job is for: the packet, and what its application declares. */
export async function readTask(
  context: TaskContext,
): Promise<{ readonly packet: Packet; readonly declaration: ApplicationDeclaration }> {
  return {
    packet: packetSchema.parse(await jsonInput(context, 'packet')),
    declaration: applicationDeclaration.parse(await jsonInput(context, 'declaration')),
  };
}

async function jsonInput(context: TaskContext, name: string): Promise<unknown> {
  return JSON.parse(Buffer.from(await context.input(name)).toString('utf8'));
}
