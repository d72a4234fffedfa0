import { type Command, Option } from 'commander';
import { DEFECT_CLASSES } from '../../shared/domain/defect/defect.ts';
import type { WatchOptions } from '../actions/requests.ts';
import { parseSeconds } from '../options.ts';

const load = () => import('../actions/requests.ts');
const defects = () => import('../actions/defects.ts');

/** submit, watch, requests, cancel, retry, answer, defect, defects, plan, evidence, artifact, explain. */
export function registerRequestCommands(program: Command): void {
  program
    .command('submit <packet>')
    .description('submit a task packet and go on; prints the id of the request')
    .requiredOption('--application <id>', 'application it is for')
    .option('--key <text>', 'idempotency key: a repeated call with it starts nothing twice')
    .action(async (packet: string, options: { application: string; key?: string }, command: Command) =>
      (await load()).submit(packet, options, command),
    );

  program
    .command('watch <request>')
    .description('follow a request until it ends; the exit code says how')
    .addOption(
      new Option('--until <what>', 'terminal, or gate: stop when it waits for a person too')
        .choices(['terminal', 'gate'])
        .default('terminal'),
    )
    .option('--limit <seconds>', 'stop waiting after so long; the request goes on', parseSeconds, 86_400)
    .action(async (request: string, options: WatchOptions, command: Command) =>
      (await load()).watch(request, options, command),
    );

  program
    .command('requests')
    .description('requests you may see, newest first')
    .action(async (_options: unknown, command: Command) => (await load()).listRequests(command));

  program
    .command('cancel <request>')
    .description('cancel a request: leases end, effects under way are looked at')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (request: string, options: { reason: string }, command: Command) =>
      (await load()).cancel(request, options, command),
    );

  program
    .command('retry <request>')
    .description('submit the packet of an ended request again, as a new request')
    .action(async (request: string, _options: unknown, command: Command) =>
      (await load()).retry(request, _options, command),
    );

  program
    .command('answer <request> <text>')
    .description('answer the question of an escalated request; it is started again with the answer')
    .option('--packet <file>', 'another packet (JSON) in place of the first')
    .action(async (request: string, text: string, options: { packet?: string }, command: Command) =>
      (await load()).answer(request, text, options, command),
    );

  program
    .command('defect <request> <summary>')
    .description('record that the change a request delivered was at fault')
    .addOption(new Option('--class <class>', 'what kind of fault').choices(DEFECT_CLASSES).makeOptionMandatory())
    .action(async (request: string, summary: string, options: { class: string }, command: Command) =>
      (await defects()).recordDefect(request, summary, options, command),
    );

  program
    .command('defects <request>')
    .description('what was found wrong with the change a request delivered')
    .action(async (request: string, _options: unknown, command: Command) =>
      (await defects()).listDefects(request, command),
    );

  program
    .command('plan <request>')
    .description('the current plan of a request')
    .action(async (request: string, _options: unknown, command: Command) =>
      (await load()).showPlan(request, _options, command),
    );

  program
    .command('evidence <request>')
    .description('the sealed evidence of a request; with --out as one file that verifies offline')
    .option('--out <file>', 'write the bundle file')
    .action(async (request: string, options: { out?: string }, command: Command) =>
      (await load()).showEvidence(request, options, command),
    );

  program
    .command('artifact <digest>')
    .description('the bytes of an artifact')
    .option('--out <file>', 'write them to a file instead of standard output')
    .action(async (digest: string, options: { out?: string }, command: Command) =>
      (await load()).showArtifact(digest, options, command),
    );

  program
    .command('explain <request>')
    .description('what exactly ran, what changed, who approved it, can we reproduce it, can we recover it')
    .action(async (request: string, _options: unknown, command: Command) =>
      (await load()).explainRequest(request, _options, command),
    );
}
