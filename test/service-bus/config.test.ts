import { expect, test } from 'vitest';
import { parseDuration } from '../../local/service-bus/config/duration.ts';
import { readEmulatorConfig } from '../../local/service-bus/config/emulator-config.ts';
import { DEFAULT_LIMITS, EMULATOR_LIMITS } from '../../local/service-bus/core/limits.ts';
import { configWith } from './broker.ts';

test.each([
  ['PT1S', 1_000],
  ['PT1M30S', 90_000],
  ['PT0.5S', 500],
  ['P1DT2H3M4S', 93_784_000],
  ['P14D', 1_209_600_000],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', 'P', 'PT', 'P1DT', '1M', 'PT1', 'P1M', 'PT-1S', 'pt1s'])('"%s" is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test("the emulator's own example queue is read, with its defaults for what is left out", () => {
  const properties = {
    DeadLetteringOnMessageExpiration: false,
    DefaultMessageTimeToLive: 'PT1H',
    DuplicateDetectionHistoryTimeWindow: 'PT20S',
    ForwardDeadLetteredMessagesTo: '',
    ForwardTo: '',
    LockDuration: 'PT1M',
    MaxDeliveryCount: 3,
    RequiresDuplicateDetection: false,
    RequiresSession: false,
  };
  const [full, bare] = readEmulatorConfig(configWith({ 'queue.1': properties, bare: {} }), DEFAULT_LIMITS);
  expect(full).toMatchObject({
    name: 'queue.1',
    lockDuration: 60_000,
    maxDeliveryCount: 3,
    defaultTimeToLive: 3_600_000,
  });
  expect(bare).toMatchObject({
    lockDuration: 60_000,
    maxDeliveryCount: 10,
    defaultTimeToLive: Number.POSITIVE_INFINITY,
    deadLetterOnExpiration: false,
    maxBytes: 1_073_741_824,
  });
});

test.each([
  [{ RequiresSession: true }, /has no sessions/],
  [{ RequiresDuplicateDetection: true }, /has no duplicate detection/],
  [{ ForwardTo: 'other' }, /does not forward/],
  [{ LockDuration: 'PT0S' }, /not a duration above zero/],
  [{ LockDuration: 'PT6M' }, /LockDuration 360000ms; the limit is 300000ms/],
  [{ MaxDeliveryCount: 0 }, /MaxDeliveryCount/],
  [{ MaxDeliveryCuont: 3 }, /MaxDeliveryCuont/],
])('%j is refused', (properties, words) => {
  expect(() => readEmulatorConfig(configWith({ jobs: properties }), DEFAULT_LIMITS)).toThrow(words);
});

test('topics, two namespaces, odd names, the same name twice and too many queues are refused', () => {
  const namespaces = (...list: unknown[]): unknown => ({ UserConfig: { Namespaces: list } });
  const readConfig = (config: unknown) => () => readEmulatorConfig(config, EMULATOR_LIMITS);
  expect(readConfig(namespaces({ Topics: [{ Name: 't' }] }))).toThrow(/has no topics/);
  expect(readConfig(namespaces({}, {}))).toThrow(/exactly one namespace/);
  expect(readConfig(namespaces({ Queues: [{ Name: '../up' }] }))).toThrow(/letters, digits/);
  expect(readConfig(configWith({ jobs: {}, JOBS: {} }))).toThrow(/'JOBS' twice/);
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`q${index}`, {}]));
  expect(readConfig(configWith(many))).toThrow(/51 queues; the limit is 50/);
});
