import { Socket } from 'node:net';

/**
 * Preloaded into each supervised process: ends it when the supervisor is gone, however that ended. The supervisor holds the other
 * end of a pipe and never writes to it; the kernel closes it with the supervisor. Nothing is lost by ending at once: the
 * processes are made to be killed.
 */
const descriptor = process.env['FACTORY_SUPERVISOR_PIPE'];
// A process that this one starts has no such pipe, and ends with this one.
delete process.env['FACTORY_SUPERVISOR_PIPE'];

if (descriptor !== undefined) {
  const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
  const end = (): void => process.exit(1);
  pipe.on('end', end).on('error', end).resume();
  pipe.unref();
}
