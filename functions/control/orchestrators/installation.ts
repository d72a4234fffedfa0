import { registerSupervisor } from './supervisor.ts';

/** One run of an installation: its plan's approval, then applying it. */
registerSupervisor('installation', 'superviseInstallation');
