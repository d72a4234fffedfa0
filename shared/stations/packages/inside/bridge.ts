/**
 * Runs inside the packages sandbox: listens on loopback, passes every connection on to the gateway's unix socket, starts the
 * command it was given and ends with its code. Arguments: socket, port, command ….
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [socket = '', port = '0', command = '', ...rest] = process.argv.slice(2);

const server = createServer((inner) => {
  const outer = connect(socket);
  inner.pipe(outer).pipe(inner);
  const end = (): void => {
    inner.destroy();
    outer.destroy();
  };
  inner.on('error', end);
  outer.on('error', end);
});

server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(command, rest, { stdio: 'inherit' });
  child.on('error', () => process.exit(127));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
});
