import type { Digest } from '../domain/digest.ts';

export type Drift = { readonly drifted: false } | { readonly drifted: true; readonly because: string };

/** Whether what is in force on an application (null: nothing) is what its last applied installation recorded. */
export function driftOf(inForce: Digest | null, recorded: Digest): Drift {
  if (inForce === recorded) return { drifted: false };
  const because =
    inForce === null
      ? `No definitions are in force; the installation recorded ${recorded}.`
      : `Definitions ${inForce} are in force; the installation recorded ${recorded}.`;
  return { drifted: true, because: `${because} Plan an installation to bring the two together.` };
}
