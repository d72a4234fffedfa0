import { createRequire } from 'node:module';
import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from 'durable-functions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../local/functions-host/durable/history.ts';
import { EventType, eventBase } from '../../local/functions-host/durable/history.ts';
import type { Decision, TurnResult } from '../../local/functions-host/durable/turn.ts';
import { numberState } from '../../local/functions-host/durable/v3/numbered-state.ts';
import { openV3Replay } from '../../local/functions-host/durable/v3/replay.ts';

/**
 * Random orchestrators run in the library's own replayer against ids given by the host. Every activity's result names the
 * activity, so a single id given to the wrong task shows as a wrong value, and a missing one as an orchestration that hangs.
 */

type Part =
  | { readonly kind: 'activity'; readonly label: string }
  | { readonly kind: 'retried'; readonly label: string; readonly failures: number; readonly attempts: number }
  | { readonly kind: 'timer'; readonly label: string; readonly delay: number; readonly cancel: boolean }
  | { readonly kind: 'event'; readonly label: string };
interface Step {
  readonly join: 'one' | 'all' | 'any';
  readonly parts: readonly Part[];
  /** Takes the tasks that lost earlier races into this one, as the documented timeout pattern does. */
  readonly again: boolean;
}

interface Opened {
  readonly part: Part;
  readonly task: Task;
}
type Steps = Generator<Task, unknown, unknown>;
const library = createRequire(import.meta.url)('durable-functions/lib/src/orchestrations/Orchestrator.js') as {
  Orchestrator: new (
    program: (context: OrchestrationContext) => Steps,
  ) => { listen(): (trigger: unknown, context: object) => Promise<unknown> };
};

function create(context: OrchestrationContext, part: Part): Opened {
  switch (part.kind) {
    case 'activity':
      return { part, task: context.df.callActivity(part.label) };
    case 'retried':
      return { part, task: context.df.callActivityWithRetry(part.label, new df.RetryOptions(10, part.attempts)) };
    case 'timer':
      return { part, task: context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + part.delay)) };
    case 'event':
      return { part, task: context.df.waitForExternalEvent(part.label) };
  }
}

function check({ part, task }: Opened): void {
  if (part.kind === 'timer' || !(task.isCompleted || task.isFaulted)) return;
  const exhausted = part.kind === 'retried' && part.failures >= part.attempts;
  const expected = exhausted ? `failed ${part.label}` : `done ${part.label}`;
  const actual = task.isFaulted ? String((task.result as unknown as Error).message).split(' \n')[0] : task.result;
  if (actual !== expected) throw new Error(`MIXED UP: ${part.label} got ${String(actual)}, not ${expected}`);
}

function* orchestrate(context: OrchestrationContext, steps: readonly Step[]): Steps {
  const everything: Opened[] = [];
  let lost: Opened[] = [];
  const pending = ({ task }: Opened) => !task.isCompleted && !task.isFaulted;
  for (const step of steps) {
    const opened = step.parts.map((part) => create(context, part));
    everything.push(...opened);
    const raced = [...opened, ...(step.again && step.join === 'any' ? lost.filter(pending) : [])];
    const tasks = raced.map(({ task }) => task);
    const [first] = tasks;
    if (first === undefined) continue;
    try {
      yield step.join === 'one' ? first : step.join === 'all' ? context.df.Task.all(tasks) : context.df.Task.any(tasks);
    } catch (error) {
      if (!String(error).includes('failed ')) throw error;
    }
    // Only what was yielded is scheduled; the rest of a step joined by "one" never begins.
    lost = [...lost, ...(step.join === 'one' ? opened.slice(0, 1) : raced)].filter(pending);
  }
  for (const { part, task } of lost) {
    if (part.kind === 'timer' && part.cancel && !task.isCompleted) {
      (task as unknown as { cancel(): void }).cancel();
      continue;
    }
    try {
      if (!task.isCompleted && !task.isFaulted) yield task;
    } catch (error) {
      if (!String(error).includes('failed ')) throw error;
    }
  }
  for (const one of everything) check(one);
  return 'right';
}

/** One instance driven by hand: which open task ends next, and when the host restarts, is chosen by `choose`. */
async function drive(steps: readonly Step[], choose: () => number): Promise<TurnResult['outcome']> {
  const orchestrator = new library.Orchestrator((context) => orchestrate(context, steps)).listen();
  const invoke = async (_description: unknown, { data }: { data: { json?: string } }) => {
    const raw = await orchestrator(JSON.parse(data.json ?? ''), {});
    return { outputs: [], empty: false, orchestratorState: numberState(raw) };
  };
  const description = { id: 'o', name: 'o', bindings: {}, trigger: { type: 'orchestrationTrigger', name: 'context' } };
  const open = () => openV3Replay(invoke as never, description);
  const parts = new Map(steps.flatMap((step) => step.parts).map((part) => [part.label, part]));
  const failures = new Map<string, number>();

  let replay = open();
  let past = '';
  let now = Date.parse('2030-01-01T00:00:00Z');
  const tasks = new Map<number, Decision>();
  const events = [...parts.values()].filter((part) => part.kind === 'event').map((part) => part.label);
  const started = { ...eventBase(new Date(now).toISOString()), EventType: EventType.ExecutionStarted } as HistoryEvent;
  let inbox: HistoryEvent[] = [started];

  for (let turn = 0; turn < 400; turn++) {
    now += 1_000;
    const time = new Date(now).toISOString();
    const fresh: HistoryEvent[] = [{ ...eventBase(time), EventType: EventType.OrchestratorStarted }, ...inbox];
    const result = await replay.run({ instanceId: 'i', name: 'o', input: null, past, events: fresh });
    if (result.outcome.kind !== 'open') return result.outcome;
    for (const decision of result.decisions) tasks.set(decision.taskId, decision);
    for (const cancelled of result.cancelledTimers) tasks.delete(cancelled);
    const decided = result.decisions.map((decision) =>
      decision.kind === 'timer'
        ? { ...eventBase(time), EventId: decision.taskId, EventType: EventType.TimerCreated, FireAt: decision.fireAt }
        : {
            ...eventBase(time),
            EventId: decision.taskId,
            EventType: EventType.TaskScheduled,
            Name: decision.name,
            Version: '' as const,
          },
    );
    const completed = {
      ...eventBase(time),
      EventType: EventType.OrchestratorCompleted,
      ActionsTaken: result.actionsTaken,
    };
    const texts = [...fresh, ...decided, completed].map((event) => JSON.stringify(event)).join(',');
    past = past === '' ? texts : `${past},${texts}`;
    if (choose() % 4 === 0) replay = open();

    inbox = [];
    const most = replay.needsSingleEvents() ? 1 : 1 + (choose() % 3);
    while (inbox.length < most && tasks.size + events.length > 0) {
      const pick = choose() % (tasks.size + events.length);
      const base = eventBase(time);
      if (pick >= tasks.size) {
        const [name = ''] = events.splice(pick - tasks.size, 1);
        inbox.push({ ...base, EventType: EventType.EventRaised, Name: name, Input: JSON.stringify(`done ${name}`) });
        continue;
      }
      const decision = [...tasks.values()][pick] as Decision;
      tasks.delete(decision.taskId);
      if (decision.kind === 'timer') {
        inbox.push({ ...base, EventType: EventType.TimerFired, TimerId: decision.taskId, FireAt: decision.fireAt });
        continue;
      }
      const part = parts.get(decision.name);
      const failed = failures.get(decision.name) ?? 0;
      if (part?.kind === 'retried' && failed < part.failures) {
        failures.set(decision.name, failed + 1);
        inbox.push({
          ...base,
          EventType: EventType.TaskFailed,
          TaskScheduledId: decision.taskId,
          Reason: `failed ${decision.name}`,
          Details: '',
        });
      } else
        inbox.push({
          ...base,
          EventType: EventType.TaskCompleted,
          TaskScheduledId: decision.taskId,
          Result: JSON.stringify(`done ${decision.name}`),
        });
    }
    if (inbox.length === 0) throw new Error(`HANGS after turn ${turn}: nothing is open, and the orchestrator waits`);
  }
  throw new Error('HANGS: no end after 400 turns');
}

const part = fc.oneof(
  fc.constant({ kind: 'activity' as const }),
  fc.record({ kind: fc.constant('retried' as const), failures: fc.nat(3), attempts: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('timer' as const), delay: fc.nat(5_000), cancel: fc.boolean() }),
  fc.constant({ kind: 'event' as const }),
);
const program = fc
  .array(
    fc.record({
      join: fc.constantFrom('one' as const, 'all' as const, 'any' as const),
      parts: fc.array(part, { minLength: 1, maxLength: 4 }),
      again: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((steps): Step[] =>
    steps.map((step, row) => ({
      ...step,
      parts: step.parts.map((one, column) => ({ ...one, label: `t${row}-${column}` })),
    })),
  );

describe('task ids', () => {
  it('are those of the library, whatever the orchestrator, the order of completions and the restarts', async () => {
    await fc.assert(
      fc.asyncProperty(program, fc.infiniteStream(fc.nat(1_000)), async (steps, choices) => {
        const outcome = await drive(steps, () => choices.next().value);
        expect(outcome).toEqual({ kind: 'completed', output: '"right"' });
      }),
      { numRuns: 300 },
    );
  });

  it('tell a task yielded again from a new task like it', async () => {
    const timer = (label: string): Part => ({ kind: 'timer', label, delay: 5_000, cancel: true });
    const steps: Step[] = [
      { join: 'any', parts: [timer('same'), { kind: 'event', label: 'first' }], again: true },
      { join: 'any', parts: [{ kind: 'event', label: 'second' }], again: true },
      { join: 'any', parts: [timer('equal'), timer('twin'), { kind: 'activity', label: 'work' }], again: true },
    ];
    for (let seed = 0; seed < 40; seed++) {
      let state = seed;
      const choose = () => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state >>> 8;
      };
      expect(await drive(steps, choose)).toEqual({ kind: 'completed', output: '"right"' });
    }
  });
});

describe('a replay', () => {
  const description = { id: 'o', name: 'o', bindings: {}, trigger: { type: 'orchestrationTrigger', name: 'context' } };
  const time = '2030-01-01T00:00:00.000Z';
  const past = [
    { ...eventBase(time), EventType: EventType.OrchestratorStarted },
    { ...eventBase(time), EventType: EventType.ExecutionStarted },
    { ...eventBase(time), EventId: 0, EventType: EventType.TaskScheduled, Name: 'old', Version: '' },
    { ...eventBase(time), EventType: EventType.OrchestratorCompleted, ActionsTaken: 1 },
  ]
    .map((event) => JSON.stringify(event))
    .join(',');

  it.each([
    ['another activity', [{ actionType: 0, functionName: 'new' }], "task 0 is now activity 'new'"],
    ['fewer actions', [], 'the history records 1 actions'],
  ])('fails the orchestration when its code now begins %s', async (_, actions, words) => {
    const invoke = async () => ({
      outputs: [],
      empty: false,
      orchestratorState: numberState({ isDone: false, actions: [actions] }),
    });
    const replay = openV3Replay(invoke as never, description);
    const events: HistoryEvent[] = [{ ...eventBase(time), EventType: EventType.OrchestratorStarted }];
    const { outcome } = await replay.run({ instanceId: 'i', name: 'o', input: null, past, events });
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('Non-Deterministic workflow detected'),
    });
    expect(outcome).toMatchObject({ reason: expect.stringContaining(words) });
  });

  it.each([
    ['another activity', { actionType: 0, functionName: 'other' }],
    ['a timer', { actionType: 5, fireAt: time }],
    ['a wait for another event', { actionType: 6, externalEventName: 'other' }],
  ])('fails the orchestration when, without a restart, it now begins with %s', async (_, second) => {
    let turn = 0;
    const begun = { actionType: 0, functionName: 'begun' };
    const invoke = async () => ({
      outputs: [],
      empty: false,
      orchestratorState: numberState({
        isDone: false,
        actions: [turn++ === 0 ? [begun] : [second, { actionType: 0, functionName: 'next' }]],
      }),
    });
    const replay = openV3Replay(invoke as never, description);
    const began = [
      { ...eventBase(time), EventType: EventType.OrchestratorStarted },
      { ...eventBase(time), EventType: EventType.ExecutionStarted },
    ];
    const first = await replay.run({ instanceId: 'i', name: 'o', input: null, past: '', events: began as never });
    expect(first.outcome).toEqual({ kind: 'open' });
    const ended = [
      { ...eventBase(time), EventType: EventType.OrchestratorStarted },
      { ...eventBase(time), EventType: EventType.TaskCompleted, TaskScheduledId: 0, Result: '1' },
    ];
    const { outcome } = await replay.run({ instanceId: 'i', name: 'o', input: null, past, events: ended as never });
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining("was activity 'begun'") });
  });
});
