import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { git } from '../traffic/repository.ts';
import type { RequestState } from '../traffic/requests.ts';

export type RemoteCount = {
  readonly branches: number;
  readonly pullRequests: number;
  readonly doubled: number;
  /** Numbers that a writer took and died before it used them. */
  readonly unusedNumbers: number;
  readonly faults: readonly string[];
};

/**
 * Counts effects where they happened (I14, I15): each PR_READY has exactly one branch, pushed once, of one commit on the base, and
 * exactly one pull request; every other request has neither, but one that ended by asking whether its effect happened.
 */
export function countRemote(remote: string, requests: readonly RequestState[]): RemoteCount {
  const faults: string[] = [];
  const branches = new Map(
    lines(git(remote, ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/factory'])).map((line) => {
      const [name = '', commit = ''] = line.split(' ');
      return [name.replace('refs/heads/', ''), commit] as const;
    }),
  );
  const { byHead, unusedNumbers } = pullRequests(remote);
  let doubled = 0;
  for (const { id, terminal, asksToLook } of requests) {
    const branch = `factory/${id}`;
    const commit = branches.get(branch);
    const opened = byHead.get(branch) ?? 0;
    // Whether it happened is the question that this one ended with.
    if (asksToLook) continue;
    if (terminal !== 'PR_READY') {
      if (commit !== undefined || opened > 0)
        faults.push(`I15 ${id} ended ${terminal} and has an effect at the remote`);
      continue;
    }
    if (commit === undefined) faults.push(`I15 ${id} is PR_READY without a branch at the remote`);
    else {
      const pushes = lines(readIfThere(path.join(remote, 'logs', 'refs', 'heads', branch))).length;
      const commits = lines(git(remote, ['rev-list', `main..${commit}`])).length;
      if (pushes !== 1 || commits !== 1) {
        doubled += 1;
        faults.push(`I14 ${id}: its branch was pushed ${pushes} times and has ${commits} commits`);
      }
    }
    if (opened !== 1) faults.push(`I14 ${id} is PR_READY with ${opened} pull requests`);
    if (opened > 1) doubled += 1;
  }
  const known = new Set(requests.map(({ id }) => `factory/${id}`));
  for (const head of [...branches.keys(), ...byHead.keys()])
    if (!known.has(head)) faults.push(`I15 ${head} is at the remote and belongs to no request`);
  const pulls = [...byHead.values()].reduce((sum, count) => sum + count, 0);
  return { branches: branches.size, pullRequests: pulls, doubled, unusedNumbers, faults };
}

/** How many pull requests each head has: a record counts when the head's own link is a link to it. */
function pullRequests(remote: string): { byHead: Map<string, number>; unusedNumbers: number } {
  const root = path.join(remote, 'factory-pull-requests');
  const byHead = new Map<string, number>();
  if (!existsSync(root)) return { byHead, unusedNumbers: 0 };
  const holders = new Set(
    readdirSync(path.join(root, 'heads')).map((file) => numberOf(path.join(root, 'heads', file)).number),
  );
  let unusedNumbers = 0;
  for (const file of readdirSync(root).filter((name) => /^\d+\.json$/.test(name))) {
    const { head, number } = numberOf(path.join(root, file));
    if (holders.has(number)) byHead.set(head, (byHead.get(head) ?? 0) + 1);
    else unusedNumbers += 1;
  }
  return { byHead, unusedNumbers };
}

const numberOf = (file: string): { head: string; number: number } =>
  JSON.parse(readFileSync(file, 'utf8')) as { head: string; number: number };
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
