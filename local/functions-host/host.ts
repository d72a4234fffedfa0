import { serveAdmin } from './admin/api.ts';
import { openKeyCheck } from './admin/key-check.ts';
import { newManagementKey, writeManagement } from './admin/management-file.ts';
import { openChildApp } from './app/child-app.ts';
import { openInProcessApp } from './app/in-process-app.ts';
import { clientBindingText } from './durable/client-binding.ts';
import { systemClock } from './durable/clock.ts';
import { openEngine } from './durable/engine.ts';
import { serveManagement } from './durable/management/api.ts';
import { startRetention } from './durable/retention.ts';
import { openV3Replay } from './durable/v3/replay.ts';
import { answerJson } from './http/answer.ts';
import { serveHttpFunctions } from './http/http-functions.ts';
import { openListener } from './http/listener.ts';
import { isLocalCaller } from './http/local-only.ts';
import { openPlaces } from './http/places.ts';
import { openInvoke } from './invoke.ts';
import { openLimiter } from './limiter.ts';
import { stderrLog } from './log.ts';
import type { HostArguments } from './settings/arguments.ts';
import { readBodyLimit } from './settings/body-limit.ts';
import { readHostSettings } from './settings/host-json.ts';
import { applyLocalSettings, isDisabled } from './settings/local-settings.ts';
import { openDatabase } from './store/database.ts';
import { openGroupCommit } from './store/group-commit.ts';
import { openHubStore } from './store/hub-store.ts';
import { openInstanceQuery } from './store/instance-query.ts';
import { openTimerStore } from './store/timer-store.ts';
import { extraInputs } from './triggers/extra-inputs.ts';
import { startServiceBusTriggers } from './triggers/service-bus.ts';
import { openServiceBusConnections } from './triggers/service-bus-connection.ts';
import { openOutputs } from './triggers/service-bus-output.ts';
import { checkFunctions, usesServiceBus } from './triggers/supported.ts';
import { startTimers } from './triggers/timer.ts';

/** How long running work may take when the host is told to end, in milliseconds. */
const drainLimit = 10_000;

export interface Host {
  readonly port: number;
  readonly functions: number;
  /** Orchestrations taken up from the data directory. */
  readonly resumed: number;
  readonly appProcessId: number;
  /** Ends triggers, waits for running work, runs appTerminate hooks, closes the store. */
  stop(): Promise<void>;
}

/**
 * Starts a host: settings, port, store, app, triggers, in this order. `fatal` is called when it can't go on: the app's
 * process ended, the store can't be written, or a function can't be stopped. All state is in the store, so whoever
 * supervises the host starts it anew and loses nothing; a respawn of the app alone would have to end every stream, lock
 * and open request anyway.
 */
export async function startHost(args: HostArguments, fatal: (message: string) => void): Promise<Host> {
  applyLocalSettings(args.appDirectory, process.env);
  const settings = readHostSettings(args.appDirectory, process.env);
  const log = stderrLog(settings.logging.logLevel.default);
  const listener = await openListener(args.host, args.port, args.connections);
  const management = await openListener('127.0.0.1', args.managementPort, args.connections);
  const address = { url: `http://127.0.0.1:${management.port}`, key: newManagementKey() };
  prepareEnvironment(args, listener.port);
  const database = openDatabase(args.dataDirectory);
  writeManagement(args.dataDirectory, address);
  const { transact, flush } = openGroupCommit(database, (error) => fatal(error.message));

  const app = args.inProcess
    ? await openInProcessApp(args.appDirectory, log)
    : await openChildApp(args.appDirectory, settings.logging.logLevel.default, (what) =>
        fatal(`${what}. The host ends with it; no recorded work is lost.`),
      );
  const functions = app.functions.filter((description) => !isDisabled(description.name, process.env));
  checkFunctions(functions, args.host);

  const { http, durableTask, serviceBus } = settings.extensions;
  const connections = await openServiceBusConnections(usesServiceBus(functions), process.env);
  let running = 0;
  const invokeOnce = openInvoke({
    app,
    log,
    timeout: settings.functionTimeout,
    timedOut: ({ name }) =>
      setTimeout(() => fatal(`Function "${name}" outlived functionTimeout; only ending its process stops it.`), 1_000),
    extraInputs: extraInputs(functions, clientBindingText(address, durableTask.hubName)),
    sendOutputs: openOutputs(connections, process.env),
  });
  const invoke: typeof invokeOnce = (description, invocation) => {
    running++;
    return invokeOnce(description, invocation).finally(() => running--);
  };

  const store = openHubStore(database);
  const engine = openEngine({
    functions,
    invoke,
    openReplay: (orchestrator) => openV3Replay(invoke, orchestrator),
    store,
    transact,
    clock: systemClock,
    log,
    activityLimit: openLimiter(durableTask.maxConcurrentActivityFunctions),
    turnLimit: openLimiter(durableTask.maxConcurrentOrchestratorFunctions),
    defaultVersion: durableTask.defaultVersion,
  });
  const serveFunctions = serveHttpFunctions(app, functions, invoke, {
    routePrefix: http.routePrefix,
    bodyLimit: readBodyLimit(process.env),
    connections: listener.connections,
    log,
    places: openPlaces({
      total: http.maxConcurrentRequests,
      reserved: args.reserved,
      reservedFor: args.reservedFor,
    }),
  });
  const durable = {
    engine,
    store,
    query: openInstanceQuery(database),
    transact,
    hubName: durableTask.hubName,
    address,
  };

  listener.serve(serveFunctions);
  const allowed = openKeyCheck(address.key);
  management.serve(async (request, response, url) => {
    if (!isLocalCaller(request))
      return answerJson(response, 403, { Message: 'This endpoint answers programs on this machine only.' });
    if (!allowed(request, url))
      return answerJson(response, 401, {
        Message: 'Send the key that management.json in the data folder of this host holds, as x-functions-key.',
      });
    const [, root, path = ''] =
      /^\/(admin|durabletask|runtime\/webhooks\/durabletask)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    if (root === undefined) return answerJson(response, 404);
    if (root === 'admin') return serveAdmin(functions, invoke, request, response, path);
    return serveManagement(durable, request, response, url, path);
  });
  const resumed = engine.resume();
  const stopRetention = startRetention(store, transact, systemClock, args.retention, log);
  const timers = openTimerStore(database);
  const stopTimers = startTimers(functions, { invoke, store: timers, transact, log, environment: process.env });
  const stopReceiving = startServiceBusTriggers(functions, {
    connections,
    invoke,
    settings: serviceBus,
    environment: process.env,
    log,
  });

  return {
    port: listener.port,
    functions: functions.length,
    resumed,
    appProcessId: app.processId,
    async stop() {
      const deadline = Date.now() + drainLimit;
      stopTimers();
      stopRetention();
      engine.stop();
      listener.close();
      management.close();
      const received = stopReceiving();
      await until(() => running === 0 && engine.running() === 0, deadline);
      await Promise.race([received, delay(Math.max(deadline - Date.now(), 100))]);
      // Without a broker the client's close waits for answers as long as its retries last.
      await Promise.race([connections.close(), delay(Math.max(deadline - Date.now(), 1_000))]);
      await app.stop();
      flush();
      database.close();
    },
  };
}

/** What the app sees of its host. WEBSITE_HOSTNAME must name the real port, or the durable client rewrites its URLs. */
function prepareEnvironment(args: HostArguments, port: number): void {
  process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
  process.env['AzureWebJobsScriptRoot'] = args.appDirectory;
  process.env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development';
  process.env['FUNCTIONS_WORKER_RUNTIME'] ??= 'node';
}

async function until(condition: () => boolean, deadline: number): Promise<void> {
  while (!condition() && Date.now() < deadline) await delay(10);
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
