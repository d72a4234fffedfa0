/** A failure told to the user as it is: what happened, to what, why, what to do. Everything else that is thrown is a fault of the program. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a failed system call or a thrown anything says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
