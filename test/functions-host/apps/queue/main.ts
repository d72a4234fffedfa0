import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import { app, output } from '@azure/functions';

const effects = process.env['SAMPLE_EFFECTS'] ?? '';
const note = (line: object) => appendFileSync(path.join(effects, 'effects.log'), `${JSON.stringify(line)}\n`);
const results = output.serviceBusQueue({ connection: 'BROKER', queueName: 'results' });
let running = 0;

app.serviceBusQueue('work', {
  connection: 'BROKER',
  queueName: '%WORK_QUEUE%',
  extraOutputs: [results],
  handler: async (message: unknown, context: InvocationContext) => {
    running++;
    try {
      const { deliveryCount, messageId } = context.triggerMetadata ?? {};
      note({ message, deliveryCount, messageId, running });
      const { kind, label } = message as { kind: string; label: string };
      if (kind === 'failOnce' && deliveryCount === 1) throw new Error('the first delivery fails');
      if (kind === 'gate' || kind === 'silent')
        while (!existsSync(path.join(effects, `open-${label}`))) await setTimeout(10);
      if (kind === 'silent') return writeFileSync(path.join(effects, `left-${label}`), '');
      context.extraOutputs.set(
        results,
        kind === 'many'
          ? [
              { label, part: 1 },
              { label, part: 2 },
            ]
          : { label },
      );
    } finally {
      running--;
    }
  },
});
app.serviceBusQueue('unsettled', {
  connection: 'BROKER',
  queueName: 'unsettled',
  autoCompleteMessages: false,
  handler: async (message: unknown, context: InvocationContext) => {
    note({ message, deliveryCount: context.triggerMetadata?.['deliveryCount'] });
  },
});
app.serviceBusQueue('buried', {
  connection: 'BROKER',
  queueName: 'unsettled/$DeadLetterQueue',
  handler: async (message: unknown, context: InvocationContext) => {
    const { deadLetterSource, expiresAtUtc, applicationProperties } = context.triggerMetadata ?? {};
    note({ message, deadLetterSource, expiresAtUtc, applicationProperties });
  },
});
app.post('send', {
  authLevel: 'anonymous',
  route: 'send',
  extraOutputs: [output.serviceBusQueue({ connection: 'BROKER', queueName: '%WORK_QUEUE%' })],
  handler: async (request, context) => {
    const [binding] = context.options.extraOutputs;
    if (binding !== undefined) context.extraOutputs.set(binding, await request.json());
    return { status: 202 };
  },
});
