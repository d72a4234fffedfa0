import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CALLS, type CallName } from '../../bench/scale/demand/call.ts';
import { DELIVERING, scaled } from '../../bench/scale/demand/line.ts';
import { callsOf, jobsOf, renewalsOf, totalsOf } from '../../bench/scale/demand/of-request.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import type { Actor } from '../../shared/line/context.ts';
import { openTestPlane, type TestPlane } from '../line/plane.ts';

type LineNode = { readonly id: string; readonly kind: string; readonly pool?: string };
type LineFile = { readonly line: string; readonly nodes: readonly LineNode[] };

const lineFile = (name: string): LineFile =>
  parse(readFileSync(path.resolve(import.meta.dirname, `../../definitions/lines/${name}.yaml`), 'utf8')) as LineFile;

/** One command as the store ran it: its statements by name, and whether it committed. */
type Ran = { readonly label: string; readonly statements: readonly string[]; readonly committed: boolean };

/** Watches every command of a plane's store. */
function watch({ store }: TestPlane): readonly Ran[] {
  const ran: Ran[] = [];
  const run = store.run.bind(store);
  store.run = async (label, command) => {
    const statements: string[] = [];
    const before = store.statistics().commits;
    const answer = await run(label, function* () {
      const steps = command();
      let step = steps.next();
      while (step.done !== true) {
        statements.push(step.value.name);
        step = steps.next(yield step.value);
      }
      return step.value;
    });
    ran.push({ label, statements, committed: store.statistics().commits > before });
    return answer;
  };
  return ran;
}

describe('what a call costs the store is no more than the model says', () => {
  let plane: TestPlane;
  let ran: readonly Ran[];

  beforeAll(async () => {
    plane = await openTestPlane({ lines: [lineFile('patch'), lineFile('bench')] });
    // The first event of a stream makes its head; what follows is what the model is about.
    await plane.submit('bench');
    ran = watch(plane);
    await plane.submit('patch');
    const facts = { paths: ['src/a.js'], pathCount: 1, linesAdded: 1, linesRemoved: 0, manifests: [], testPaths: [] };
    const jobs: readonly [ClaimAnswer['pool'], Actor, string][] = [
      ['fetch', plane.effector, 'packages_wanted'],
      ['packages', plane.station, 'ok'],
      ['verify', plane.verifier, 'ready'],
      ['plan', plane.station, 'planned'],
    ];
    for (const [pool, worker, verdict] of jobs) {
      const claim = await plane.claim(worker, pool);
      if (claim === undefined) throw new Error(`the line queued no job of pool ${pool}`);
      await plane.complete(worker, claim, { verdict, facts }, [{ name: 'out', kind: 'receipt', text: `${pool} out` }]);
      await plane.claim(worker, pool);
    }
  });
  afterAll(() => plane.close());

  /** Calls by the label the test plane runs them under; an absent job is a claim that committed nothing. */
  const of = (name: CallName): readonly Ran[] =>
    ran.filter(({ label, committed }) => {
      if (name === 'claim' || name === 'claimNothing') return label === 'claim' && committed === (name === 'claim');
      return label === name;
    });

  it.each(['submit', 'claim', 'claimNothing', 'complete'] as const)('%s', (name) => {
    const calls = of(name);
    expect(calls.length).toBeGreaterThan(0);
    const mean = calls.reduce((sum, { statements }) => sum + statements.length, 0) / calls.length;
    // A line differs from another by some statements; the model's figure is the mean of a whole request.
    expect(mean, `statements of ${name}: count them again`).toBeLessThanOrEqual(CALLS[name].statements * 1.15 + 1);
    for (const { statements, committed } of calls) {
      expect(Number(committed), name).toBeLessThanOrEqual(CALLS[name].commits);
      expect(statements.filter((each) => each === 'audit.nextSeq').length, name).toBeLessThanOrEqual(
        CALLS[name].audited,
      );
    }
  });

  it('an audited commit holds the head of its stream for its last statements only', () => {
    for (const { statements } of ran) {
      const at = statements.indexOf('audit.nextSeq');
      if (at !== -1) expect(statements.length - at).toBeLessThanOrEqual(4);
    }
  });
});

describe('the demand of a request', () => {
  it('has the jobs of the delivering lines, in their pools and their order', () => {
    for (const name of ['patch', 'dependency-update', 'api-migration']) {
      const jobs = lineFile(name).nodes.filter(({ kind }) => kind === 'job');
      expect(jobsOf(DELIVERING).map(({ name: id, pool }) => [id, pool])).toEqual(
        jobs.map(({ id, pool }) => [id, pool]),
      );
    }
  });

  it('is what was counted in the worked example, whose line is the same without its packages', () => {
    const example = {
      ...DELIVERING,
      stages: DELIVERING.stages.filter((stage) => stage.kind !== 'job' || stage.name !== 'packages'),
    };
    const calls = callsOf(scaled(example, 0.000_1), 30);
    expect(calls).toMatchObject({
      claim: 6,
      claimNothing: 6,
      complete: 6,
      download: 22,
      uploadBegin: 10,
      uploadPut: 10,
      intend: 2,
      record: 6,
    });
    const one = totalsOf({ ...calls, look: 0, readApproval: 1, decide: 1 });
    // Counted: 30 unwraps, 2 signatures, 24 audited commits.
    expect(one.unwraps).toBe(29);
    expect(one.signatures).toBe(2);
    expect(one.audited).toBe(24);
  });

  it('renews a lease as often as thirds of it pass', () => {
    expect(renewalsOf(9_999, 30)).toBe(0);
    expect(renewalsOf(95_000, 30)).toBe(9);
    expect(callsOf(scaled(DELIVERING, 10), 30).renew).toBeGreaterThan(callsOf(DELIVERING, 30).renew * 9);
  });
});
