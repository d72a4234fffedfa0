import { parseLogLevel, stderrLog } from '../log.ts';
import { openInProcessApp } from './in-process-app.ts';
import type { Answer, AppMessage, HostMessage } from './messages.ts';
import { batchPerTurn } from './messages.ts';

/** The app process: loads the app named by its first argument and runs what the host sends, until the host ends. */
async function serve(appDirectory: string): Promise<void> {
  const log = stderrLog(parseLogLevel(process.argv[3] ?? '') ?? 'information');
  const app = await openInProcessApp(appDirectory, log);
  const answer = batchPerTurn<Answer>((batch) => send({ kind: 'answers', batch }));

  process.on('message', (message: HostMessage) => {
    if (message.kind === 'stop') {
      app.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log('error', 'app', `appTerminate hook failed: ${String(error)}`);
          process.exit(0);
        },
      );
      return;
    }
    for (const request of message.batch) {
      const { invocationId } = request;
      app.invoke(request).then(
        (result) => answer({ invocationId, result }),
        (thrown: unknown) => {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown));
          answer({ invocationId, error: { message: error.message, stack: error.stack ?? '' } });
        },
      );
    }
  });
  send({
    kind: 'ready',
    functions: app.functions,
    ...(app.streamUrl === undefined ? {} : { streamUrl: app.streamUrl }),
  });
}

function send(message: AppMessage): void {
  process.send?.(message);
}

// A host that was killed can't end its app; without it there is nothing left to serve.
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl+C reaches the whole group: the host decides when the app ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

serve(process.argv[2] ?? '').catch((error: unknown) => {
  send({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
});
