import type { PatchFault } from './patch.ts';

/** Thrown while a patch is read; never leaves this room. */
export class NotAPatch extends Error {
  override readonly name = 'NotAPatch';
  readonly fault: PatchFault;

  constructor(line: number, message: string) {
    super(message);
    this.fault = { line, message: `Line ${line} ${message}` };
  }
}
