import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countRemote } from '../../scripts/torture/checks/remote.ts';
import { git, makeRemote } from '../../scripts/torture/traffic/repository.ts';
import { pullRequestRecords } from '../../shared/effects/code-hosts/local/pull-request-records.ts';

const ready = (id: string) => ({
  id,
  application: 'app_a',
  state: 'terminal',
  terminal: 'PR_READY',
  asksToLook: false,
  run: 1,
});
const nothing = (id: string) => ({
  id,
  application: 'app_a',
  state: 'terminal',
  terminal: 'NO_OP',
  asksToLook: false,
  run: 1,
});

let directory: string;
let remote: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'factory-remote-'));
  remote = makeRemote(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function commit(message: string, parent = 'main'): string {
  return git(remote, ['commit-tree', `${git(remote, ['rev-parse', `${parent}^{tree}`])}`, '-p', parent, '-m', message]);
}
const push = (branch: string, what: string): string => git(remote, ['update-ref', `refs/heads/${branch}`, what]);
const open = (head: string) => pullRequestRecords(remote).create({ head, base: 'main', title: head, body: '' });

describe('counting effects at the remote', () => {
  it('counts one branch and one pull request for what was delivered, and nothing for what was not', async () => {
    push('factory/req_a', commit('a'));
    await open('factory/req_a');
    expect(countRemote(remote, [ready('req_a'), nothing('req_b')])).toEqual({
      branches: 1,
      pullRequests: 1,
      doubled: 0,
      unusedNumbers: 0,
      faults: [],
    });
  });

  it('sees a branch that was pushed twice, also when the second push left the same number of commits', async () => {
    push('factory/req_a', commit('a'));
    push('factory/req_a', commit('again'));
    await open('factory/req_a');
    expect(countRemote(remote, [ready('req_a')])).toMatchObject({
      doubled: 1,
      faults: [expect.stringContaining('pushed 2 times')],
    });
  });

  it('sees a branch with a commit too many', async () => {
    push('factory/req_a', commit('two', commit('one')));
    await open('factory/req_a');
    expect(countRemote(remote, [ready('req_a')])).toMatchObject({
      doubled: 1,
      faults: [expect.stringContaining('2 commits')],
    });
  });

  it('sees a delivery without its branch or its pull request, and effects of what delivered nothing or is unknown', async () => {
    push('factory/req_b', commit('b'));
    push('factory/req_c', commit('c'));
    await open('factory/req_d');
    const { faults } = countRemote(remote, [ready('req_a'), ready('req_b'), nothing('req_c')]);
    expect(faults).toEqual([
      expect.stringContaining('req_a is PR_READY without a branch'),
      expect.stringContaining('req_a is PR_READY with 0 pull requests'),
      expect.stringContaining('req_b is PR_READY with 0 pull requests'),
      expect.stringContaining('req_c ended NO_OP and has an effect'),
      expect.stringContaining('factory/req_d is at the remote and belongs to no request'),
    ]);
  });
});
