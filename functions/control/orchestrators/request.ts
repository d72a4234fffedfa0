import { registerSupervisor } from './supervisor.ts';

/** One run of a request: gate expiries, its deadline, and the nudges that commands send. */
registerSupervisor('request', 'superviseRequest');
