import { type ReportedTest, SAID } from '../junit.ts';

/** An event of `go test -json` (`go doc test2json`): those of a test name it, those of a package do not. */
type Event = {
  readonly Action?: unknown;
  readonly Package?: unknown;
  readonly Test?: unknown;
  readonly Output?: unknown;
};

const ENDS: ReadonlyMap<unknown, ReportedTest['outcome']> = new Map([
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['skip', 'skipped'],
]);

type Seen = {
  readonly package: string;
  readonly name: string;
  outcome?: ReportedTest['outcome'] | undefined;
  said: string;
};
type Read = {
  readonly tests: ReadonlyMap<string, Seen>;
  readonly packages: ReadonlyMap<string, ReportedTest['outcome']>;
};

/** The tests of `go test -json`, subtests included; undefined where a package has begun and not ended. Linear in the text. */
export function readGoTest(text: string): ReportedTest[] | undefined {
  const { tests, packages } = readEvents(text);
  const reported: ReportedTest[] = [];
  for (const test of tests.values()) {
    const ended = packages.get(test.package);
    if (ended === undefined) return undefined;
    // What a test prints without a line's end hides its verdict in the same line: then its package tells.
    const outcome = test.outcome ?? (ended === 'failed' ? 'failed' : 'passed');
    const name = `${test.package}\0${test.name}`;
    reported.push({ name, outcome, ...(outcome === 'failed' ? { said: test.said } : {}) });
  }
  return reported;
}

/** The output without the events around it; of tests that did not fail nothing, unless it was asked for. */
export function plainGoOutput(text: string, verbose: boolean): string {
  const { tests } = readEvents(text);
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const event = eventOf(line);
    if (event === undefined) lines.push(`${line}\n`);
    else if (typeof event.Output === 'string' && (verbose || isShown(event, tests))) lines.push(event.Output);
  }
  return lines.join('').replace(/\n$/, '');
}

function isShown({ Package, Test, Output }: Event, tests: Read['tests']): boolean {
  if (typeof Test !== 'string') return Output !== 'PASS\n';
  const outcome = tests.get(`${String(Package)}\0${Test}`)?.outcome;
  return outcome !== 'passed' && outcome !== 'skipped' && !/^=== /.test(String(Output));
}

function readEvents(text: string): Read {
  const tests = new Map<string, Seen>();
  const packages = new Map<string, ReportedTest['outcome']>();
  for (const line of text.split('\n')) {
    const event = eventOf(line);
    if (event === undefined || typeof event.Package !== 'string') continue;
    const { Action, Package, Test, Output } = event;
    const end = ENDS.get(Action);
    if (typeof Test !== 'string') {
      if (end !== undefined) packages.set(Package, end);
      continue;
    }
    const key = `${Package}\0${Test}`;
    const seen = tests.get(key) ?? { package: Package, name: Test, said: '' };
    tests.set(key, seen);
    if (end !== undefined) seen.outcome = end;
    if (typeof Output !== 'string') continue;
    if (seen.said.length < SAID) seen.said = `${seen.said}${Output}`.slice(0, SAID);
    const hidden = /--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)\n$/.exec(Output);
    if (hidden?.[2] === Test && seen.outcome === undefined) seen.outcome = ENDS.get(hidden[1]?.toLowerCase());
  }
  return { tests, packages };
}

function eventOf(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'Action' in value ? (value as Event) : undefined;
  } catch {
    return undefined;
  }
}
