import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { ArmFailed } from '../../shared/effects/azure-deployments/arm-failed.ts';
import { readStack } from '../../shared/effects/azure-deployments/stack.ts';
import { until } from '../jobs/worker-fixture.ts';
import { environment } from './deployment-fixture.ts';
import { quick, type StackArm, signedIn, stackArm, TOKEN } from './stack-arm.ts';

let azure: StackArm;
beforeEach(async () => {
  azure = await stackArm();
});
afterEach(() => azure.close());

const signal = new AbortController().signal;
const base = `/subscriptions/${environment.subscription}/providers/Microsoft.Resources`;
const stack = {
  what: 'The stack',
  method: 'GET',
  path: `${base}/deploymentStacks/factory-dev`,
  apiVersion: '2024-03-01',
} as const;
const ahead = {
  what: 'The look ahead',
  method: 'POST',
  path: `${base}/deployments/factory-dev/whatIf`,
  apiVersion: '2025-04-01',
  body: {},
} as const;
const create = { ...stack, method: 'PUT', body: {} } as const;

const failed = async (asked: Promise<unknown>): Promise<ArmFailed> => {
  const error = await asked.then(
    (value) => new Error(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ArmFailed) return error;
  throw error;
};
const error = (status: number, code: string, message = 'because') => ({ status, body: { error: { code, message } } });
const always = <T>(odd: T): T[] => Array.from({ length: 20 }, () => odd);

describe('an answer of Azure Resource Manager', () => {
  test.each([
    [error(401, 'InvalidAuthenticationTokenTenant'), 'denied', 1],
    [error(403, 'AuthorizationFailed'), 'denied', 1],
    [error(404, 'SubscriptionNotFound'), 'absent', 1],
    [error(409, 'DeploymentStackInNonTerminalState'), 'conflict', 1],
    [error(400, 'InvalidTemplate'), 'refused', 1],
    [error(400, 'LinkedAuthorizationFailed'), 'denied', 1],
    [error(408, 'RequestTimeout'), 'passing', 3],
    [error(429, 'SubscriptionRequestsThrottled'), 'passing', 3],
    [error(500, 'InternalServerError'), 'passing', 3],
    [{ status: 503, body: '<html>busy</html>' }, 'passing', 3],
    [{ status: 302, headers: { location: '/elsewhere' } }, 'passing', 3],
    [{ status: 200, body: '{"cut' }, 'passing', 3],
    [{ status: 200, body: JSON.stringify('x'.repeat(quick.answerBytes)) }, 'passing', 3],
    ['die' as const, 'passing', 3],
  ])('%o is %s after %i calls', async (odd, fault, calls) => {
    azure.oddly('stack', ...always(odd));
    expect(await failed(azure.arm.read(stack, signal))).toMatchObject({ fault });
    expect(azure.calls()).toHaveLength(calls);
  });

  test('that failed and comes after all is the answer', async () => {
    azure.stack('plan', 'succeeded');
    azure.oddly('stack', { status: 503 }, 'die');
    expect(await azure.arm.read(stack, signal)).toMatchObject({ properties: { description: 'plan' } });
  });

  test('is quoted bounded, in one line, and never with the token', async () => {
    azure.oddly('stack', error(400, 'Bad', `the token was ${TOKEN},\n\u001b[31m${'x'.repeat(5_000)}`));
    const { message, code } = await failed(azure.arm.read(stack, signal));
    expect(code).toBe('Bad');
    expect(message).toMatch(/^The stack: Azure answered 400 Bad: the token was …, +\[31mxxx/);
    expect(message.length).toBeLessThan(1_200);
  });

  test('is found again at Azure by its correlation id, when that is one', async () => {
    const id = '7f0f1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
    const answered = async (correlation: string): Promise<string> => {
      azure.oddly('stack', { status: 400, headers: { 'x-ms-correlation-request-id': correlation } });
      return (await failed(azure.arm.read(stack, signal))).message;
    };
    expect(await answered(id)).toBe(`The stack: Azure answered 400 (correlation id ${id})`);
    expect(await answered('<script>')).toBe('The stack: Azure answered 400');
  });

  test('that takes too long is given up', async () => {
    azure.oddly('stack', ...always('hang' as const));
    const hasty = armAt(azure.url, signedIn, { ...quick, callMs: 20 });
    expect(await failed(hasty.read(stack, signal))).toMatchObject({
      fault: 'passing',
      message: expect.stringContaining('no answer'),
    });
    expect(azure.calls()).toHaveLength(3);
  });

  test.each([
    ['is answered', 'hang' as const],
    ['may be asked again', { status: 429, headers: { 'retry-after': '15' } }],
  ])('is not waited for once the signal fired, until it %s', async (_what, odd) => {
    azure.oddly('stack', odd);
    const end = new AbortController();
    const asked = failed(azure.arm.read(stack, end.signal));
    await until('it was asked', () => azure.calls().length === 1);
    end.abort(new Error('the lease is lost'));
    await expect(asked).rejects.toThrow('the lease is lost');
    expect(azure.calls()).toHaveLength(1);
  });

  test('to what changes something is never asked for twice', async () => {
    azure.oddly('create', ...always({ status: 503 }));
    expect(await failed(azure.arm.begin(create, signal))).toMatchObject({ fault: 'passing' });
    expect(azure.created()).toBe(1);
  });
});

describe('an answer that goes on elsewhere', () => {
  const goesOn = (location: string | undefined, headers = {}) =>
    azure.oddly('whatIf', { status: 202, headers: { ...(location === undefined ? {} : { location }), ...headers } });

  test('is followed to its end', async () => {
    azure.wouldChange({ resourceId: '/a', changeType: 'Create' });
    expect(await azure.arm.read(ahead, signal)).toMatchObject({ properties: { changes: [{ resourceId: '/a' }] } });
    expect(azure.kinds()).toEqual(['whatIf', 'result', 'result']);
  });

  test('is never followed to another host, nor the token taken there', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    goesOn(`http://127.0.0.1:${(other.address() as AddressInfo).port}/subscriptions/x/operationresults/1`);
    expect(await failed(azure.arm.read(ahead, signal))).toMatchObject({
      message: expect.stringContaining('another host'),
    });
    expect(asked).toBe(0);
    other.close();
  });

  test.each([undefined, 'http://[', 'file:///etc/passwd'])('has to say where: %s', async (location) => {
    goesOn(location);
    expect(await failed(azure.arm.read(ahead, signal))).toMatchObject({ fault: 'passing' });
    expect(azure.calls()).toHaveLength(1);
  });

  test('without an end is given up after so many calls', async () => {
    const place = '/subscriptions/x/operationresults/1';
    goesOn(place);
    azure.oddly('result', ...Array.from({ length: 100 }, () => ({ status: 202, headers: { location: place } })));
    expect(await failed(azure.arm.read(ahead, signal))).toMatchObject({ message: expect.stringContaining('50 calls') });
    expect(azure.calls()).toHaveLength(50);
  });

  test('is asked for when it said, and not before: not within this ask', async () => {
    goesOn('/subscriptions/x/operationresults/1', { 'retry-after': '3600' });
    const hasty = armAt(azure.url, signedIn, { ...quick, askMs: 3_000 });
    expect(await failed(hasty.read(ahead, signal))).toMatchObject({ fault: 'passing' });
    expect(azure.kinds()).toEqual(['whatIf']);
  });
});

describe('a service that asks to come back later', () => {
  test('is asked again then', async () => {
    azure.stack('plan', 'succeeded');
    azure.oddly('stack', { status: 429, headers: { 'retry-after': '1' } });
    expect(await azure.arm.read(stack, signal)).toMatchObject({ properties: { description: 'plan' } });
  });

  test.each(['3600', new Date(Date.now() + 3_600_000).toUTCString()])(
    'than an ask lasts (%s) is left to the next attempt, with the time',
    async (after) => {
      azure.oddly('stack', { status: 429, headers: { 'retry-after': after } });
      const { fault, afterMs } = await failed(azure.arm.read(stack, signal));
      expect(fault).toBe('passing');
      expect(afterMs).toBeGreaterThan(3_500_000);
      expect(azure.calls()).toHaveLength(1);
    },
  );
});

describe('the token', () => {
  const named = (name: string) => ({
    getToken: () => Promise.reject(Object.assign(new Error('no sign-in\nhere'), { name })),
  });

  test('is for the address that is asked, and kept while it lasts', async () => {
    azure.stack('plan', 'succeeded');
    const scopes: string[] = [];
    const arm = armAt(azure.url, {
      async getToken(scope) {
        scopes.push(scope);
        return signedIn.getToken();
      },
    });
    await arm.read(stack, signal);
    await arm.read(stack, signal);
    expect(scopes).toEqual([`${azure.url}/.default`]);
  });

  test('that is not taken any more is had anew, once', async () => {
    azure.stack('plan', 'succeeded');
    azure.oddly('stack', { status: 200, body: {} }, error(401, 'ExpiredAuthenticationToken'));
    let given = 0;
    const arm = armAt(
      azure.url,
      {
        async getToken() {
          given += 1;
          return signedIn.getToken();
        },
      },
      quick,
    );
    await arm.read(stack, signal);
    expect(await arm.read(stack, signal)).toMatchObject({ properties: { description: 'plan' } });
    expect([given, azure.calls().length]).toEqual([2, 3]);
    azure.oddly('stack', ...always(error(401, 'ExpiredAuthenticationToken')));
    expect(await failed(arm.read(stack, signal))).toMatchObject({ fault: 'denied' });
    expect([given, azure.calls().length]).toEqual([3, 5]);
  });

  test('that nobody gives is a question; one that did not come may come later', async () => {
    const unsigned = armAt(azure.url, named('CredentialUnavailableError'), quick);
    expect(await failed(unsigned.read(stack, signal))).toMatchObject({
      fault: 'unsigned',
      message: 'The effector has no token for Azure: no sign-in here',
    });
    expect(await failed(armAt(azure.url, named('AuthenticationError'), quick).read(stack, signal))).toMatchObject({
      fault: 'passing',
    });
    expect(azure.calls()).toEqual([]);
  });

  test('that never comes is not waited for beyond the call', async () => {
    const slow = { getToken: () => new Promise<never>(() => undefined) };
    const arm = armAt(azure.url, slow, { ...quick, callMs: 20, repeats: 0 });
    expect(await failed(arm.read(stack, signal))).toMatchObject({ fault: 'passing' });
  });
});

describe('a stack', () => {
  const read = () => readStack(azure.arm, environment, signal);

  test('is not there when the service says so by its code', async () => {
    expect(await read()).toBeNull();
    azure.oddly('stack', error(404, 'SubscriptionNotFound'));
    expect(await failed(read())).toMatchObject({ fault: 'absent' });
    azure.oddly('stack', { status: 404, body: '<html>no such page</html>' });
    expect(await failed(read())).toMatchObject({ fault: 'absent' });
  });

  test.each([[{ properties: [] }], ['text'], [{ properties: { description: 7 } }], [null]])(
    'is not read out of %o',
    async (body) => {
      azure.oddly('stack', { status: 200, body: JSON.stringify(body) });
      expect(await failed(read())).toMatchObject({ fault: 'passing' });
    },
  );
});
