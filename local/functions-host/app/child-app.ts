import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '../log.ts';
import type { FunctionApp, InvocationRequest, InvocationResult } from './function-app.ts';
import type { AppMessage, HostMessage } from './messages.ts';
import { batchPerTurn } from './messages.ts';

/** How long the app process may take for its appTerminate hooks before it is killed, in milliseconds. */
const stopLimit = 5_000;

interface Waiting {
  readonly resolve: (result: InvocationResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Loads the app into a process of its own, so that a handler that blocks its event loop leaves the host answering.
 * When that process ends unasked, `ended` is called once with what happened: invocations in flight can't be answered.
 */
export async function openChildApp(
  appDirectory: string,
  level: LogLevel,
  ended: (what: string) => void,
): Promise<FunctionApp> {
  const child = fork(
    fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url)),
    [appDirectory, level],
    {
      serialization: 'advanced',
      // The app's stdout joins its stderr: the host's stdout carries the ready line alone.
      stdio: ['ignore', process.stderr.fd, process.stderr.fd, 'ipc'],
    },
  );
  const waiting = new Map<string, Waiting>();
  let stopping = false;

  const ready = Promise.withResolvers<Extract<AppMessage, { kind: 'ready' }>>();
  child.on('message', (message: AppMessage) => {
    if (message.kind === 'ready') ready.resolve(message);
    else if (message.kind === 'failed') ready.reject(new Error(message.message));
    else {
      for (const answer of message.batch) {
        const invocation = waiting.get(answer.invocationId);
        waiting.delete(answer.invocationId);
        if ('result' in answer) invocation?.resolve(answer.result);
        else invocation?.reject(Object.assign(new Error(answer.error.message), { stack: answer.error.stack }));
      }
    }
  });
  child.on('error', () => undefined);
  child.on('exit', (code, signal) => {
    const what = `The app process (pid ${child.pid}) ended with ${signal ?? `exit code ${code}`}`;
    ready.reject(new Error(`${what} while loading ${appDirectory}.`));
    // Invocations in flight are never answered: a failure recorded for them would be taken for the handler's own.
    waiting.clear();
    if (!stopping) ended(what);
  });

  const send = (message: HostMessage) => {
    if (child.connected) child.send(message);
  };
  const invoke = batchPerTurn<InvocationRequest>((batch) => send({ kind: 'invoke', batch }));
  const { functions, streamUrl } = await ready.promise.catch((error: unknown) => {
    stopping = true;
    child.kill('SIGKILL');
    throw error;
  });
  return {
    functions,
    ...(streamUrl === undefined ? {} : { streamUrl }),
    processId: child.pid ?? 0,
    invoke(request) {
      const { promise, resolve, reject } = Promise.withResolvers<InvocationResult>();
      waiting.set(request.invocationId, { resolve, reject });
      invoke(request);
      return promise;
    },
    async stop() {
      if (stopping || child.exitCode !== null || child.signalCode !== null) return;
      stopping = true;
      const exited = once(child, 'exit');
      send({ kind: 'stop' });
      const timer = setTimeout(() => child.kill('SIGKILL'), stopLimit);
      await exited;
      clearTimeout(timer);
    },
  };
}
