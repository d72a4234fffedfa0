import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { verifyBundleFile } from '../../shared/evidence/bundle-file.ts';
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

/** submit, watch, requests, cancel, retry, answer, plan, evidence, artifact, explain. */
export function registerRequestCommands(program: Command): void {
  program
    .command('submit <packet>')
    .description('submit a task packet and go on; prints the id of the request')
    .requiredOption('--application <id>', 'application it is for')
    .option('--key <text>', 'idempotency key: a repeated call with it starts nothing twice')
    .action(async (packet: string, options: { application: string; key?: string }, command: Command) => {
      const id = await submitPacketFile(await api(command), packet, options.application, options.key);
      if (globalOptions(command).json) return printJson({ id });
      print(id);
    });

  program
    .command('watch <request>')
    .description('follow a request until it ends; the exit code says how')
    .option('--until <what>', 'terminal, or gate: stop when it waits for a person too', 'terminal')
    .option('--limit <seconds>', 'stop waiting after so long; the request goes on', '86400')
    .action(async (request: string, options: { until: string; limit: string }, command: Command) => {
      const seen = await follow(await api(command), request, {
        until: options.until === 'gate' ? 'gate' : 'terminal',
        limitMs: Number(options.limit) * 1000,
        json: globalOptions(command).json,
      });
      process.exitCode = exitCodeOf(seen.terminal);
    });

  program
    .command('requests')
    .description('requests you may see, newest first')
    .action(async (_options: unknown, command: Command) => {
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
    });

  program
    .command('cancel <request>')
    .description('cancel a request: leases end, effects under way are looked at')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (request: string, options: { reason: string }, command: Command) => {
      await (await api(command)).call('POST', `/requests/${request}/cancel`, { json: { reason: options.reason } });
      print(`${request} is being cancelled. Follow it with: factory watch ${request}`);
    });

  program
    .command('retry <request>')
    .description('submit the packet of an ended request again, as a new request')
    .action(async (request: string, _options: unknown, command: Command) => {
      print(await startedBy(await api(command), `/requests/${request}/retry`, {}));
    });

  program
    .command('answer <request> <text>')
    .description('answer the question of an escalated request; it is started again with the answer')
    .option('--packet <file>', 'another packet (JSON) in place of the first')
    .action(async (request: string, text: string, options: { packet?: string }, command: Command) => {
      const packet =
        options.packet === undefined ? {} : { packet: JSON.parse(readFileSync(options.packet, 'utf8')) as unknown };
      print(await startedBy(await api(command), `/requests/${request}/answers`, { answer: text, ...packet }));
    });

  program
    .command('plan <request>')
    .description('the current plan of a request')
    .action(async (request: string, _options: unknown, command: Command) => {
      printJson(await (await api(command)).call('GET', `/requests/${request}/plan`));
    });

  program
    .command('evidence <request>')
    .description('the sealed evidence of a request; with --out as one file that verifies offline')
    .option('--out <file>', 'write the bundle file')
    .action(async (request: string, options: { out?: string }, command: Command) => {
      const plane = await api(command);
      if (options.out === undefined)
        return printJson(await readResource(plane, evidenceResource, `/requests/${request}/evidence`));
      const text = await gatherBundleFile(plane, await readResource(plane, requestResource, `/requests/${request}`));
      writeFileSync(options.out, text);
      print(`Wrote ${options.out}. Verify it anywhere with: factory verify ${options.out}`);
    });

  program
    .command('artifact <digest>')
    .description('the bytes of an artifact')
    .option('--out <file>', 'write them to a file instead of standard output')
    .action(async (digest: string, options: { out?: string }, command: Command) => {
      const bytes = await readArtifact(await api(command), digest);
      if (options.out === undefined) process.stdout.write(bytes);
      else writeFileSync(options.out, bytes);
    });

  program
    .command('explain <request>')
    .description('what exactly ran, what changed, who approved it, can we reproduce it, can we recover it')
    .action(async (request: string, _options: unknown, command: Command) => {
      const plane = await api(command);
      const answers = await explain(plane, request);
      if (globalOptions(command).json) return printJson(answers);
      for (const line of answerLines(answers)) print(line);
    });
}

async function startedBy(plane: PlaneApi, path: string, json: unknown): Promise<string> {
  const answer = await plane.call('POST', path, { json, headers: { 'idempotency-key': randomUUID() } });
  return understood(submittedResource, answer, path).id;
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
