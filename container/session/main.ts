import { ORPHANED_MS, SESSION_PORT } from '../../shared/sandbox/sessions/protocol.ts';
import { sessionServer } from './server.ts';
import { openSpool } from './spool.ts';

/**
 * The one program of the sandbox's image: the agent that waits in each session for the one run of its life. `main.js [PORT | SOCKET]`. Has to be started as root, so that
 * what it runs can be another user; it takes no settings and no credential, and writes nothing but why it can't start.
 */
const [address = String(SESSION_PORT)] = process.argv.slice(2);
if (process.getuid?.() !== 0) {
  process.stderr.write('The agent of a session has to be started as root: what it runs must not be its own user.\n');
  process.exit(2);
}
process.umask(0o022);
const { server, calledAt, stop } = sessionServer(await openSpool());
// Workers poll for minutes over one connection, through proxies that keep theirs for as long.
server.keepAliveTimeout = ORPHANED_MS;
server.listen(/^\d+$/.test(address) ? { port: Number(address), host: '0.0.0.0' } : { path: address });

setInterval(() => {
  const at = calledAt();
  if (at === undefined || performance.now() - at < ORPHANED_MS) return;
  stop();
  process.exit(0);
}, 5_000).unref();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
