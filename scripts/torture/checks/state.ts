import { openInvariants } from '../../../test/simulation/invariants.ts';
import { look } from '../plane/database.ts';
import type { TorturePlane } from '../plane/plane.ts';

/**
 * The state invariants over the database file, and no outbox row given up. To be asked while no process of the plane runs: rules
 * compare rows with each other. Remembers states from one check to the next, and so sees a transition that no machine allows.
 */
export type StateCheck = { check(): string[] };

export function openStateCheck(plane: TorturePlane): StateCheck {
  let invariants: ReturnType<typeof openInvariants> | undefined;
  return {
    check() {
      invariants ??= openInvariants(plane.database);
      const dead = look(plane.database, "select id from outbox where state = 'dead'");
      return [...invariants.check(), ...dead.map((row) => `I16 outbox row ${row['id']} is dead`)];
    },
  };
}
