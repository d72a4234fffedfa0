import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from 'durable-functions';

type Steps = Generator<Task, unknown, unknown>;

function inMilliseconds(context: OrchestrationContext, delay: number): Date {
  return new Date(context.df.currentUtcDateTime.getTime() + delay);
}

df.app.orchestration('three', function* (context): Steps {
  const one = yield context.df.callActivity('echo', 1);
  const two = yield context.df.callActivity('echo', Number(one) + 1);
  return yield context.df.callActivity('echo', Number(two) + 1);
});

df.app.orchestration('fan', function* (context): Steps {
  const width = Number(context.df.getInput());
  const results = yield context.df.Task.all(
    Array.from({ length: width }, (_, index) => context.df.callActivity('square', index)),
  );
  return (results as number[]).reduce((sum, value) => sum + value, 0);
});

df.app.orchestration('echoInput', function* (context): Steps {
  const input = context.df.getInput();
  const echoed = yield context.df.callActivity('echo', input);
  const nothing = yield context.df.callActivity('nothing');
  return { input: input ?? null, echoed, nothing, version: context.df.version, id: context.df.instanceId };
});

df.app.orchestration('retries', function* (context): Steps {
  const succeeded = yield context.df.callActivityWithRetry('flaky', new df.RetryOptions(5, 5), context.df.instanceId);
  let failed = '';
  try {
    yield context.df.callActivityWithRetry('fails', new df.RetryOptions(5, 3));
  } catch (error) {
    failed = String(error).split('\n')[0]?.trim() ?? '';
  }
  const after = yield context.df.callActivity('echo', 'after');
  return { succeeded, failed, after };
});

/** Retries that race other tasks: what follows takes ids that depend on the order of completions. */
df.app.orchestration('racingRetries', function* (context): Steps {
  const retried = context.df.callActivityWithRetry('flaky', new df.RetryOptions(20, 5), `${context.df.instanceId}a`);
  yield context.df.Task.any([retried, context.df.callActivity('echo', 'fast')]);
  const between = yield context.df.callActivity('echo', 'between');
  const first = yield retried;
  const both = yield context.df.Task.all([
    context.df.callActivity('echo', 1),
    context.df.callActivityWithRetry('flaky', new df.RetryOptions(5, 5), `${context.df.instanceId}b`),
  ]);
  return { between, first, both };
});

/** The documented pattern: events raced, round after round, against one timer that takes one id. */
df.app.orchestration('approvals', function* (context): Steps {
  const wanted = 2;
  const timeout = context.df.createTimer(inMilliseconds(context, Number(context.df.getInput() ?? 60_000)));
  const approvals: unknown[] = [];
  context.df.setCustomStatus({ waitingFor: wanted });
  while (approvals.length < wanted) {
    const approval = context.df.waitForExternalEvent('approval');
    const winner = yield context.df.Task.any([approval, timeout]);
    if (winner === timeout) return { approvals, timedOut: true };
    approvals.push(approval.result);
    context.df.setCustomStatus({ waitingFor: wanted - approvals.length });
  }
  timeout.cancel();
  const after = yield context.df.callActivity('square', 9);
  return { approvals, after, timedOut: false };
});

df.app.orchestration('timer', function* (context): Steps {
  const before = context.df.currentUtcDateTime.getTime();
  const fireAt = inMilliseconds(context, Number(context.df.getInput()));
  yield context.df.createTimer(fireAt);
  return {
    early: context.df.currentUtcDateTime.getTime() < fireAt.getTime(),
    advanced: context.df.currentUtcDateTime.getTime() > before,
  };
});

df.app.orchestration('gated', function* (context): Steps {
  const label = context.df.instanceId;
  yield context.df.callActivity('noted', `before ${label}`);
  const through = yield context.df.callActivity('passGate', label);
  yield context.df.callActivity('noted', `after ${label}`);
  return through;
});

/** Collects ticks over executions that continue as new after each. */
df.app.orchestration('eternal', function* (context): Steps {
  const seen = (context.df.getInput() as unknown[] | '') || [];
  const tick = yield context.df.waitForExternalEvent('tick');
  const next = [...seen, tick];
  if (next.length < 4) context.df.continueAsNew(next);
  return next;
});

df.app.orchestration('throws', function* (context): Steps {
  yield context.df.callActivity('echo', 1);
  throw new Error('left the building');
});
df.app.orchestration('throwsText', function* (context): Steps {
  yield context.df.callActivity('echo', 1);
  throw 'only a text';
});
df.app.orchestration('failingActivity', function* (context): Steps {
  return yield context.df.callActivity('fails');
});
df.app.orchestration('unknownActivity', function* (context): Steps {
  return yield context.df.callActivity('no-such-activity');
});
df.app.orchestration('parent', function* (context): Steps {
  return yield context.df.callSubOrchestrator('three');
});
df.app.orchestration('callsWeb', function* (context): Steps {
  return yield context.df.callHttp({ method: 'GET', url: 'http://127.0.0.1:9/' });
});
df.app.orchestration('startsAnother', function* (context): Steps {
  return yield context.df.callActivity('startOther', `${context.df.instanceId}-other`);
});
/** An open activity keeps an instance from completing, though its orchestrator has returned. */
df.app.orchestration('returnsEarly', function* (context): Steps {
  yield context.df.Task.any([
    context.df.callActivity('echo', 1),
    context.df.callActivity('passGate', context.df.instanceId),
  ]);
  return 'early';
});
/** A bit of everything, for kills at random moments. */
df.app.orchestration('mixed', function* (context): Steps {
  const id = context.df.instanceId;
  const squares = (yield context.df.Task.all(
    [1, 2, 3].map((value) => context.df.callActivity('square', value)),
  )) as number[];
  const retried = context.df.callActivityWithRetry('flaky', new df.RetryOptions(10, 8), id);
  const timer = context.df.createTimer(inMilliseconds(context, 20));
  yield context.df.Task.any([retried, timer]);
  if (!timer.isCompleted) timer.cancel();
  const kept = yield retried;
  const last = yield context.df.callActivity(
    'square',
    squares.reduce((sum, value) => sum + value, 0),
  );
  return { kept, last };
});
