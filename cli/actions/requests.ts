import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { LIMITS } from '../../shared/domain/limits.ts';
import { verifyBundleFile } from '../../shared/evidence/bundle-file.ts';
import { readJson } from '../../shared/intake/json.ts';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { readList, readResource, understood } from '../api/read.ts';
import { evidenceResource, requestResource, submittedResource } from '../api/resources.ts';
import { exitCodeOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, plainText, print, printJson } from '../output/terminal.ts';
import { type FiveAnswers, fiveAnswers, QUESTIONS } from '../request/answers.ts';
import { gatherBundleFile, readArtifact } from '../request/evidence-file.ts';
import { follow } from '../request/follow.ts';
import { submitPacketFile } from '../request/submit.ts';

const api = (command: Command): Promise<PlaneApi> => openPlaneApi(globalOptions(command));

async function startedBy(plane: PlaneApi, path: string, json: unknown): Promise<string> {
  const answer = await plane.call('POST', path, { json, headers: { 'idempotency-key': randomUUID() } });
  return understood(submittedResource, answer, path).id;
}

function tellStarted(id: string, command: Command): void {
  if (globalOptions(command).json) printJson({ id });
  else print(id);
}

function packetIn(file: string): unknown {
  const read = readJson(readFileSync(file), LIMITS.packet.depth);
  if ('fault' in read) throw new CommandFailure(`${file} can't be read: ${read.fault.message}`);
  return read.value;
}

/** The five answers of an ended request, out of its verified evidence. */
export async function explain(plane: PlaneApi, request: string): Promise<FiveAnswers> {
  const view = await readResource(
    plane,
    requestResource.extend({ evidence: z.string().nullable() }),
    `/requests/${request}`,
  );
  const verdict = verifyBundleFile(await gatherBundleFile(plane, view));
  if (!verdict.ok || verdict.facts?.kind !== 'evidence_bundle')
    throw new CommandFailure(
      `The evidence of ${request} does not verify: ${verdict.faults.map((fault) => fault.message).join('; ')}`,
    );
  return fiveAnswers(verdict.facts.facts);
}

export function answerLines(answers: FiveAnswers): string[] {
  return (Object.keys(QUESTIONS) as (keyof FiveAnswers)[]).flatMap((key) => [
    bold(QUESTIONS[key]),
    ...answers[key].map((line) => dim('  ') + line),
  ]);
}

/** Submits a packet, and prints the id of the request. */
export async function submit(
  packet: string,
  options: { application: string; key?: string },
  command: Command,
): Promise<void> {
  const id = await submitPacketFile(await api(command), packet, options.application, options.key);
  tellStarted(id, command);
}

export type WatchOptions = { readonly until: 'terminal' | 'gate'; readonly limit: number };

/** Follows a request; the exit code says how it ended. */
export async function watch(request: string, options: WatchOptions, command: Command): Promise<void> {
  const seen = await follow(await api(command), request, {
    until: options.until,
    limitMs: options.limit * 1000,
    json: globalOptions(command).json,
  });
  process.exitCode = exitCodeOf(seen.terminal);
}

/** Prints the requests that may be seen. */
export async function listRequests(command: Command): Promise<void> {
  const summary = requestResource.pick({
    id: true,
    title: true,
    state: true,
    terminal: true,
    line: true,
    createdAt: true,
  });
  const found = await readList(await api(command), summary, '/requests');
  if (globalOptions(command).json) return printJson(found);
  for (const { id, title, state, terminal, line } of found)
    print(`${id}  ${(terminal ?? state).padEnd(18)} ${line.padEnd(18)} ${plainText(title)}`);
}

/** Cancels a request. */
export async function cancel(request: string, options: { reason: string }, command: Command): Promise<void> {
  const plane = await api(command);
  const cancelled = await plane.call('POST', `/requests/${request}/cancel`, { json: { reason: options.reason } });
  print(`${request} is being cancelled. Follow it with: factory watch ${request}`);
  if (globalOptions(command).json) printJson(cancelled);
}

/** Submits the packet of an ended request again, and prints the new id. */
export async function retry(request: string, _options: unknown, command: Command): Promise<void> {
  tellStarted(await startedBy(await api(command), `/requests/${request}/retry`, {}), command);
}

/** Answers an escalated request, and prints the id of the one that goes on. */
export async function answer(
  request: string,
  text: string,
  options: { packet?: string },
  command: Command,
): Promise<void> {
  const packet = options.packet === undefined ? {} : { packet: packetIn(options.packet) };
  const path = `/requests/${request}/answers`;
  tellStarted(await startedBy(await api(command), path, { answer: text, ...packet }), command);
}

/** Prints the plan of a request. */
export async function showPlan(request: string, _options: unknown, command: Command): Promise<void> {
  printJson(await (await api(command)).call('GET', `/requests/${request}/plan`));
}

/** Prints the evidence of a request, or writes it as a file. */
export async function showEvidence(request: string, options: { out?: string }, command: Command): Promise<void> {
  const plane = await api(command);
  if (options.out === undefined)
    return printJson(await readResource(plane, evidenceResource, `/requests/${request}/evidence`));
  const text = await gatherBundleFile(plane, await readResource(plane, requestResource, `/requests/${request}`));
  writeFileSync(options.out, text);
  print(`Wrote ${options.out}. Verify it anywhere with: factory verify ${options.out}`);
  if (globalOptions(command).json) printJson({ file: options.out });
}

/** Writes the bytes of an artifact. */
export async function showArtifact(digest: string, options: { out?: string }, command: Command): Promise<void> {
  const bytes = await readArtifact(await api(command), digest);
  if (options.out === undefined) process.stdout.write(bytes);
  else writeFileSync(options.out, bytes);
}

/** Prints the five answers. */
export async function explainRequest(request: string, _options: unknown, command: Command): Promise<void> {
  const plane = await api(command);
  const answers = await explain(plane, request);
  if (globalOptions(command).json) return printJson(answers);
  for (const line of answerLines(answers)) print(line);
}
