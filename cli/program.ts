import { Command } from 'commander';
import { PROGRAM } from '../shared/domain/program.ts';
import { registerApprovalCommands } from './commands/approvals.ts';
import { registerAuditCommands } from './commands/audit.ts';
import { registerDoctorCommand } from './commands/doctor.ts';
import { registerInstallCommands } from './commands/install.ts';
import { registerLineCommands } from './commands/line.ts';
import { registerMaintenanceCommands } from './commands/maintenance.ts';
import { registerPacketCommands } from './commands/packet.ts';
import { registerPlatformCommands } from './commands/platform.ts';
import { registerPolicyCommands } from './commands/policy.ts';
import { registerRequestCommands } from './commands/requests.ts';
import { registerRestoreCommands } from './commands/restore.ts';
import { registerRunCommand } from './commands/run.ts';
import { registerStoreCommands } from './commands/store.ts';
import { registerVerifyCommand } from './commands/verify.ts';
import { DEFAULT_DATA, globalOptions } from './options.ts';
import { answerInJson } from './output/terminal.ts';

const EXIT_CODES = `
Exit codes
  0   done; of a request: PR_READY      1  failed          2  wrong use
  10  NO_OP                             20 ESCALATE        30 RETRYABLE_FAILURE
  40  CANCELLED                         41 REJECTED        50 stopped waiting before the end`;

/** The whole command line. Every command is registered by a file of \`commands/\`. */
export function buildProgram(): Command {
  const program = new Command('factory')
    .description('A governed software factory: task packets in, validated changes with evidence out.')
    .version(PROGRAM.version)
    .option('--data <directory>', 'data directory of the plane', process.env['FACTORY_DATA'] ?? DEFAULT_DATA)
    .option('--as <identity>', 'local identity to act as', process.env['FACTORY_AS'] ?? 'requester')
    .option('--json', 'answer in JSON', false)
    .showHelpAfterError('Run "factory --help" for the commands.')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .hook('preAction', (_program, command) => {
      if (globalOptions(command).json) answerInJson();
    });
  registerPlatformCommands(program);
  registerPacketCommands(program);
  registerRunCommand(program);
  registerRequestCommands(program);
  registerApprovalCommands(program);
  registerInstallCommands(program);
  registerVerifyCommand(program);
  registerAuditCommands(program);
  registerLineCommands(program);
  registerPolicyCommands(program);
  registerStoreCommands(program);
  registerDoctorCommand(program);
  registerMaintenanceCommands(program);
  registerRestoreCommands(program);
  return program;
}
