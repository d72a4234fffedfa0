import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { HttpRequest } from '@azure/functions';
import { app } from '@azure/functions';

const note = (line: string) => appendFileSync(process.env['SAMPLE_NOTES'] ?? '/dev/null', `${line}\n`);

app.hook.appStart((context) => {
  context.hookData['began'] = true;
  note('appStart');
});
app.hook.appTerminate((context) => note(`appTerminate ${String(context.hookData['began'])}`));
app.hook.log((context) => {
  if (context.category !== 'user') return;
  context.message = `${context.message}, seen by the hook of ${context.invocationContext?.functionName} ${String(context.hookData['began'])}`;
  context.level = 'warning';
  context.invocationContext?.log('of the hook itself');
  throw new Error('hooks keep nothing from the log');
});
app.hook.preInvocation((context) => {
  context.hookData['began'] = true;
  if (context.inputs[0] && (context.inputs[0] as HttpRequest).method === 'PUT') {
    context.functionHandler = async () => ({ body: 'replaced' });
  }
});
app.hook.postInvocation((context) => {
  note(`post ${String(context.hookData['began'])} ${context.error === null ? 'fine' : 'failed'}`);
  if (context.error !== null) {
    context.error = null;
    context.result = { status: 418, body: 'mended' };
  }
});
app.http('hooked', {
  authLevel: 'anonymous',
  methods: ['GET', 'PUT', 'DELETE'],
  route: 'hooked',
  handler: async (request, context) => {
    context.log('said in\ntwo lines');
    if (request.method === 'DELETE') throw new Error('broken');
    return { body: 'original' };
  },
});
app.get('slow', {
  authLevel: 'anonymous',
  route: 'slow',
  handler: async (request) => {
    note('slow began');
    await setTimeout(Number(request.query.get('for')));
    note('slow ended');
    return { body: 'slow' };
  },
});
