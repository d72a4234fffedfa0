import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { FunctionDescription } from '../app/function-description.ts';
import { triggerType } from '../app/function-description.ts';
import type { Invoke } from '../invoke.ts';
import type { Limiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import type { Transact } from '../store/group-commit.ts';
import type { HubStore, OpenTask } from '../store/hub-store.ts';
import type { FinalStatus, InstanceRecord } from '../store/instance-record.ts';
import { runActivity } from './activities.ts';
import type { Clock } from './clock.ts';
import type { HistoryEvent } from './history.ts';
import { EventType, eventBase } from './history.ts';
import type { Instance, LoadedExecution } from './instance.ts';
import { toInstance } from './instance.ts';
import { openLoadedExecutions } from './loaded-executions.ts';
import type { ExecutionReplay } from './turn.ts';
import { turnEvents } from './turn-events.ts';
import type { Turn } from './turn-record.ts';
import { toTurnRecord } from './turn-record.ts';

/** Milliseconds before a turn is taken again that the host itself could not carry out. */
const turnRetryDelay = 1_000;

export interface EngineParts {
  readonly functions: readonly FunctionDescription[];
  readonly invoke: Invoke;
  /** Opens the protocol's side of an execution of this orchestrator. */
  readonly openReplay: (orchestrator: FunctionDescription) => ExecutionReplay;
  readonly store: HubStore;
  readonly transact: Transact;
  readonly clock: Clock;
  readonly log: Log;
  readonly activityLimit: Limiter;
  readonly turnLimit: Limiter;
  readonly defaultVersion: string;
}

export type StartAnswer =
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'unknown' };

export interface Engine {
  /** Takes up every instance that has not ended. Returns how many. */
  resume(): number;
  /** Starts an instance; a finished one with the same id makes way for it. `input` is JSON text. */
  start(
    name: string,
    options: { readonly id?: string; readonly input: string | null; readonly version?: string },
  ): Promise<StartAnswer>;
  /** Delivers an external event; `input` is JSON text or ''. False when the instance is absent or has ended. */
  raiseEvent(id: string, name: string, input: string): Promise<boolean>;
  /** Ends an instance at its next turn. False when it is absent or has ended. */
  terminate(id: string, reason: string): Promise<boolean>;
  /** No further turn or activity begins; what runs is still recorded. */
  stop(): void;
  /** Runs that have begun and not been recorded. */
  running(): number;
}

/**
 * Runs orchestrations: an instance with something in its inbox takes a turn; the turn's decisions are recorded with it in
 * one commit and then begun; what ends a task is an event in the inbox again. After a crash the open tasks of the store
 * begin again, so an activity runs at least once and a recorded one never again.
 */
export function openEngine(parts: EngineParts): Engine {
  const { store, transact, clock, log } = parts;
  const orchestrators = byName(parts.functions, 'orchestrationtrigger');
  const activities = byName(parts.functions, 'activitytrigger');
  const live = new Map<string, Instance>();
  const loads = openLoadedExecutions();
  let stopped = false;
  let running = 0;

  function isCurrent(instance: Instance, executionId: string): boolean {
    return live.get(instance.id) === instance && instance.executionId === executionId;
  }

  function wake(instance: Instance): void {
    const due = instance.turns === 0 || instance.inbox.length > 0;
    if (instance.turning || stopped || !due || live.get(instance.id) !== instance) return;
    instance.turning = true;
    running++;
    parts
      .turnLimit(() => (stopped ? Promise.resolve() : takeTurn(instance)))
      .catch(async (error: unknown) => {
        log('error', 'Durable', `turn of ${instance.id} failed, and is taken again: ${describe(error)}`);
        await setTimeout(turnRetryDelay);
      })
      .finally(() => {
        running--;
        instance.turning = false;
        wake(instance);
      });
  }

  function load(instance: Instance): LoadedExecution | undefined {
    const orchestrator = orchestrators.get(instance.name.toLowerCase());
    if (orchestrator === undefined) return undefined;
    instance.loaded ??= {
      input: store.find(instance.id)?.input ?? null,
      past: instance.turns === 0 ? '' : store.history(instance.id),
      replay: parts.openReplay(orchestrator),
    };
    loads.used(instance);
    return instance.loaded;
  }

  async function takeTurn(instance: Instance): Promise<void> {
    const loaded = load(instance);
    const input = loaded?.input ?? null;
    const single = instance.turns > 0 && (loaded?.replay.needsSingleEvents() ?? false);
    const { at, events, takenUpTo, terminated } = turnEvents(instance, input, clock.now(), single);
    const record = {
      instanceId: instance.id,
      executionId: instance.executionId,
      number: instance.turns,
      takenUpTo,
      at,
    };

    if (terminated !== undefined)
      return finish(instance, { ...record, events, result: undefined }, 'Terminated', JSON.stringify(terminated));
    if (loaded === undefined) {
      const reason = `Orchestrator function '${instance.name}' failed: no orchestrator function of that name is registered`;
      return finish(instance, { ...record, events, result: undefined }, 'Failed', JSON.stringify(reason));
    }
    const { id: instanceId, name } = instance;
    const result = await loaded.replay.run({ instanceId, name, input, past: loaded.past, events });
    const turn = { ...record, events, result };
    const { outcome } = result;
    switch (outcome.kind) {
      case 'completed':
        return finish(instance, turn, 'Completed', outcome.output);
      case 'failed':
        log('warning', 'Durable', `${instance.id}: ${outcome.reason}`);
        return finish(instance, turn, 'Failed', JSON.stringify(outcome.reason));
      case 'continued':
        return continueAsNew(instance, turn, outcome.input, outcome.unread);
      case 'open':
        return recordTurn(instance, loaded, turn);
    }
  }

  async function recordTurn(instance: Instance, loaded: LoadedExecution, turn: Turn): Promise<void> {
    const record = toTurnRecord(turn, instance.customStatus, []);
    await transact(
      () => store.addTurn(record),
      () => {
        loaded.past = loaded.past === '' ? record.events : `${loaded.past},${record.events}`;
        instance.turns++;
        instance.updatedAt = turn.at;
        instance.customStatus = record.customStatus;
        instance.inbox = instance.inbox.filter((entry) => entry.seq > turn.takenUpTo);
        for (const taskId of record.cancelled) stopTask(instance, taskId);
        for (const task of record.begun) begin(instance, task);
      },
    );
  }

  async function continueAsNew(
    instance: Instance,
    turn: Turn,
    input: string,
    unread: readonly HistoryEvent[],
  ): Promise<void> {
    const next = { executionId: newId(), input };
    const carried = unread.map((event) => JSON.stringify(event));
    await transact(
      () => store.continueAsNew(toTurnRecord(turn, instance.customStatus, []), next, carried, survives),
      (inbox) => {
        stopTasks(instance);
        instance.executionId = next.executionId;
        instance.turns = 0;
        instance.updatedAt = turn.at;
        instance.customStatus = turn.result?.customStatus ?? instance.customStatus;
        instance.inbox = inbox.map(({ seq, event }) => ({ seq, event: JSON.parse(event) }));
        instance.loaded = undefined;
      },
    );
  }

  async function finish(instance: Instance, turn: Turn, status: FinalStatus, output: string): Promise<void> {
    const ended: HistoryEvent = {
      ...eventBase(new Date(turn.at).toISOString()),
      EventType: EventType.ExecutionCompleted,
      OrchestrationStatus: status,
      Result: output,
    };
    const record = toTurnRecord(turn, instance.customStatus, [ended]);
    await transact(
      () => store.finish(record, status, output),
      () => {
        stopTasks(instance);
        live.delete(instance.id);
        loads.dropped(instance);
      },
    );
  }

  function begin(instance: Instance, task: OpenTask): void {
    const { executionId } = instance;
    if (task.kind === 'timer') {
      const fireAt = task.fireAt ?? 0;
      const fire = () => {
        const event: HistoryEvent = {
          ...eventBase(new Date(clock.now()).toISOString()),
          EventType: EventType.TimerFired,
          TimerId: task.taskId,
          FireAt: new Date(fireAt).toISOString(),
        };
        void endTask(instance, executionId, task.taskId, event);
      };
      instance.tasks.set(task.taskId, clock.at(fireAt, fire));
      return;
    }
    instance.tasks.set(task.taskId, () => undefined);
    void parts.activityLimit(async () => {
      if (stopped || !isCurrent(instance, executionId)) return;
      running++;
      try {
        const activity = activities.get(task.name.toLowerCase());
        const event = await runActivity(parts.invoke, activity, instance.id, task, clock.now);
        await endTask(instance, executionId, task.taskId, event);
      } finally {
        running--;
      }
    });
  }

  async function endTask(instance: Instance, executionId: string, taskId: number, event: HistoryEvent): Promise<void> {
    const text = JSON.stringify(event);
    await transact(
      () => store.endTask(instance.id, executionId, taskId, text),
      (seq) => {
        if (seq === undefined || !isCurrent(instance, executionId)) return;
        instance.tasks.delete(taskId);
        receive(instance, seq, event);
      },
    ).catch((error: unknown) =>
      log('error', 'Durable', `end of task ${taskId} of ${instance.id} not recorded: ${describe(error)}`),
    );
  }

  function receive(instance: Instance, seq: number, event: HistoryEvent): void {
    instance.inbox.push({ seq, event });
    wake(instance);
  }

  async function deliver(id: string, event: HistoryEvent): Promise<boolean> {
    const text = JSON.stringify(event);
    const seq = await transact(
      () => store.deliver(id, text),
      (seq) => {
        const instance = live.get(id);
        if (seq !== undefined && instance !== undefined) receive(instance, seq, event);
      },
    );
    return seq !== undefined;
  }

  return {
    resume() {
      for (const record of store.listOpen()) {
        const instance = toInstance(record, store.turnCount(record.id));
        instance.inbox = store.inbox(record.id).map(({ seq, event }) => ({ seq, event: JSON.parse(event) }));
        live.set(record.id, instance);
        for (const task of store.openTasks(record.id)) begin(instance, task);
        wake(instance);
      }
      return live.size;
    },
    async start(name, options) {
      const orchestrator = orchestrators.get(name.toLowerCase());
      if (orchestrator === undefined) return { kind: 'unknown' };
      const now = clock.now();
      const id = options.id ?? newId();
      const record: InstanceRecord = {
        id,
        executionId: newId(),
        name: orchestrator.name,
        version: options.version ?? parts.defaultVersion,
        status: 'Pending',
        input: options.input,
        output: null,
        customStatus: null,
        createdAt: now,
        updatedAt: now,
        finishedAt: null,
      };
      const created = await transact(
        () => store.create(record),
        (created) => {
          if (!created) return;
          const instance = toInstance(record, 0);
          instance.loaded = { input: record.input, past: '', replay: parts.openReplay(orchestrator) };
          live.set(id, instance);
          wake(instance);
        },
      );
      return created ? { kind: 'started', id } : { kind: 'running' };
    },
    raiseEvent: (id, name, input) =>
      deliver(id, {
        ...eventBase(new Date(clock.now()).toISOString()),
        EventType: EventType.EventRaised,
        Name: name,
        Input: input,
      }),
    terminate: (id, reason) =>
      deliver(id, {
        ...eventBase(new Date(clock.now()).toISOString()),
        EventType: EventType.ExecutionTerminated,
        Input: reason,
      }),
    stop() {
      stopped = true;
      for (const instance of live.values()) stopTasks(instance);
    },
    running: () => running,
  };
}

/** What an inbox keeps when its execution ends and the next begins: all but the ends of the old one's tasks. */
function survives(text: string): boolean {
  const event: HistoryEvent = JSON.parse(text);
  return event.EventType === EventType.EventRaised || event.EventType === EventType.ExecutionTerminated;
}

function stopTask(instance: Instance, taskId: number): void {
  instance.tasks.get(taskId)?.();
  instance.tasks.delete(taskId);
}

function stopTasks(instance: Instance): void {
  for (const taskId of [...instance.tasks.keys()]) stopTask(instance, taskId);
}

function byName(functions: readonly FunctionDescription[], type: string): Map<string, FunctionDescription> {
  const found = functions.filter((description) => triggerType(description) === type);
  return new Map(found.map((description) => [description.name.toLowerCase(), description]));
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
