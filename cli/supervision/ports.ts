import { createServer } from 'node:net';
import { CommandFailure } from '../failure.ts';

const ADDRESS = '127.0.0.1';

/** A port that is free now: the wanted one, or any for 0. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new CommandFailure(
            `Port ${wanted} of this machine is taken by another program. Give another one with --port N (0 takes any free one), or end that program.`,
          ),
        );
      else if (error.code === 'EACCES')
        reject(new CommandFailure(`Port ${wanted} may not be used by this user. Give one above 1023 with --port N.`));
      else reject(error);
    });
    server.listen(wanted, ADDRESS, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}
