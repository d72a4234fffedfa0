import { installationMachine } from '../domain/installation/machine.ts';
import { transition } from '../domain/machine.ts';
import { type Scope, tell } from '../line/scope.ts';
import { type Command, writeOne } from '../store/command.ts';
import { updateInstallation } from '../store/installations/installations.ts';
import type { InstallationRow } from '../store/schema/rows.ts';

type Locked = InstallationRow & { readonly now: number };

/** An installation's plan was approved: its orchestrator is told, which applies it. */
export function* approveInstallation(scope: Scope, { now: _now, ...installation }: Locked): Command<void> {
  yield* writeOne(
    updateInstallation({
      ...installation,
      state: transition(installationMachine, installation.state, 'approve'),
      nudged: 1,
      next_wake_at: scope.now,
    }),
  );
  tell(scope, installation.id, {
    kind: 'nudge',
    orchestrator: 'installation',
    id: installation.id,
    run: installation.run,
  });
  scope.touched.add(installation.id);
}

/** An installation's plan was rejected: it ends, and nothing of it is applied. */
export function* rejectInstallation(scope: Scope, { now: _now, ...installation }: Locked): Command<void> {
  yield* writeOne(
    updateInstallation({
      ...installation,
      state: transition(installationMachine, installation.state, 'reject'),
      finished_at: scope.now,
      next_wake_at: null,
    }),
  );
  tell(scope, installation.id, {
    kind: 'nudge',
    orchestrator: 'installation',
    id: installation.id,
    run: installation.run,
  });
  scope.touched.add(installation.id);
}
