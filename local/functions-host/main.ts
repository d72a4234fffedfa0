import type { Host } from './host.ts';
import { startHost } from './host.ts';
import { helpText, parseHostArguments } from './settings/arguments.ts';

/** Exit code when the host can't go on and is to be started anew (EX_SOFTWARE of sysexits.h). */
const brokenExit = 70;

function fail(message: string, code: number): never {
  process.stderr.write(`functions-host: ${message}\n`);
  process.exit(code);
}

async function main(): Promise<void> {
  const args = parseHostArguments(process.argv.slice(2));
  if (args === undefined) {
    console.log(helpText);
    return;
  }
  const host = await startHost(args, (message) => fail(message, brokenExit));
  endOnSignal(host);
  const counts = `${host.functions} functions, ${host.resumed} orchestrations resumed`;
  console.log(`functions-host ready http://${args.host}:${host.port} (${counts})`);
}

/**
 * A signal ends the host in order. Another one is the same wish come twice (a terminal signals the whole group, and a
 * supervisor passes it on) unless it comes a second later: then someone is tired of waiting.
 */
function endOnSignal(host: Host): void {
  let since: number | undefined;
  const end = () => {
    if (since !== undefined) {
      if (performance.now() - since > 1_000) fail('ended at once, by a second signal', 1);
      return;
    }
    since = performance.now();
    host.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(`did not end in order: ${String(error)}`, 1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

process.on('unhandledRejection', (error) => {
  fail(`unexpected failure: ${error instanceof Error ? error.stack : String(error)}`, brokenExit);
});

main().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error), 1));
