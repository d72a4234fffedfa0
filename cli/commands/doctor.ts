import type { Command } from 'commander';

const load = () => import('../actions/doctor.ts');

/** doctor: what this machine and the plane on it lack, and what to do about it. */
export function registerDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look at this machine and at the plane on it: sandbox, git, ports, data, queues, outbox, clock')
    .action(async (_options: unknown, command: Command) => (await load()).doctor(command));
}
