import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findControlGroup } from '../../shared/sandbox/control-group/find.ts';
import { joinCommand, makeControlGroup, sweepControlGroups } from '../../shared/sandbox/control-group/group.ts';
import { scratch } from './repositories.ts';
import { limits, probed } from './sandboxes.ts';

/** Files as the kernel shows them, in a directory that stands in for its file system; the machine's own may have version 1 alone. */
function machineWith(
  own: string,
  groups: Readonly<Record<string, { controllers: string; given?: string }>>,
  type = 'cgroup2',
) {
  const root = scratch();
  for (const [group, { controllers, given = '' }] of Object.entries(groups)) {
    const directory = path.join(root, group);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'cgroup.controllers'), `${controllers}\n`);
    writeFileSync(path.join(directory, 'cgroup.subtree_control'), `${given}\n`);
    writeFileSync(path.join(directory, 'cgroup.procs'), '');
  }
  const at = (name: string, text: string): string => {
    const file = path.join(root, name);
    writeFileSync(file, text);
    return file;
  };
  return {
    root,
    machine: {
      membership: at('membership', `4:memory:/elsewhere\n0::${own}\n`),
      mounts: at(
        'mounts',
        `35 30 0:32 / /proc rw - proc proc rw\n40 30 0:37 / ${root} rw,relatime shared:9 - ${type} cgroup2 rw\n`,
      ),
    },
  };
}
const offers = { controllers: 'cpuset cpu io memory pids' };
const gives = { ...offers, given: 'memory pids' };

test.each([
  ['its own group, when that gives the controllers on', '/a.service', { '/a.service': gives }, '/a.service'],
  [
    'the service above, when the process has a group of its own in it',
    '/a.service/plane',
    { '/a.service/plane': { controllers: '' }, '/a.service': gives },
    '/a.service',
  ],
  ['the root of a container, when it may give the controllers on', '/', { '/': gives }, '/'],
] as const)('bounded below %s', (_what, own, groups, at) => {
  const { root, machine } = machineWith(own, groups);
  expect(findControlGroup(machine)).toEqual({ usable: true, directory: at === '/' ? root : path.join(root, at) });
});

test.each([
  ['a machine with version 1 alone', '/', { '/': gives }, 'cgroup', /no cgroup v2 is mounted/],
  [
    'a hierarchy without the controllers',
    '/',
    { '/': { controllers: 'hugetlb' } },
    'cgroup2',
    /does not have the controllers memory and pids/,
  ],
  ['one of them missing', '/x', { '/x': { controllers: 'memory' } }, 'cgroup2', /does not have the controllers pids/],
  [
    'a slice above, which is the system manager’s',
    '/my.slice/a.service',
    { '/my.slice/a.service': { controllers: '' }, '/my.slice': gives },
    'cgroup2',
    /a\.service does not have the controllers/,
  ],
  [
    'the root above, which is nobody’s to use',
    '/a.service',
    { '/a.service': { controllers: '' }, '/': gives },
    'cgroup2',
    /a\.service does not have the controllers/,
  ],
  [
    'a group outside of what this process sees',
    '/../other',
    { '/': gives },
    'cgroup2',
    /in no group of cgroup v2 that it can see/,
  ],
] as const)('not bounded so on %s, and the reason is told', (_what, own, groups, type, reason) => {
  const { machine } = machineWith(own, groups, type);
  expect(findControlGroup(machine)).toEqual({ usable: false, reason: expect.stringMatching(reason) });
});

test('controllers that are offered are asked to be given on, and not taken for given when the kernel does otherwise', () => {
  const { root, machine } = machineWith('/a.service', { '/a.service': offers });
  // A plain file keeps what was written, sign and all: as from a kernel that answered and did nothing.
  expect(findControlGroup(machine)).toMatchObject({
    usable: false,
    reason: expect.stringMatching(/does not give them on/),
  });
  expect(readFileSync(path.join(root, 'a.service/cgroup.subtree_control'), 'utf8')).toBe('+memory +pids');
});

test('a run has a group with its limits; what joins it becomes the program', async () => {
  const parent = scratch();
  const group = makeControlGroup(parent, { ...limits, memoryBytes: 1 << 30, processes: 64 });
  const [name = ''] = readdirSync(parent);
  const read = (file: string) => readFileSync(path.join(parent, name, file), 'utf8');
  // Memory: the run's own and two file systems in memory of 512 MiB; processes: the run's own and those that set it up.
  expect([read('memory.max'), read('memory.oom.group'), read('pids.max')]).toEqual([String(2 * 1024 ** 3), '1', '72']);
  const [file = '', ...args] = group.joined(['/bin/sh', '-c', 'echo "$$ $1"', 'program', 'a b']);
  const [pid, argument] = execFileSync(file, args, { encoding: 'utf8' }).trim().split(/ (.*)/);
  expect([read('cgroup.procs').trim(), argument]).toEqual([pid, 'a b']);
  expect(group.ranOutOfMemory()).toBe(false);
  writeFileSync(path.join(parent, name, 'memory.events'), 'low 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n');
  expect(group.ranOutOfMemory()).toBe(true);
});

test('nothing runs where the group can not be joined, and no group is left where its limits can not be set', () => {
  const parent = scratch();
  const group = makeControlGroup(parent, limits);
  execFileSync('rm', ['-r', path.join(parent, readdirSync(parent)[0]!)]);
  const [file = '', ...args] = group.joined(['/bin/echo', 'ran']);
  expect(() => execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' })).toThrow(/cgroup\.procs/);
  expect(() => makeControlGroup(path.join(parent, 'absent'), limits)).toThrow(
    expect.objectContaining({ code: 'SANDBOX-SETUP-FAILED' }),
  );
});

test('groups of workers that are gone are swept, those of a living one are kept', () => {
  const parent = scratch();
  for (const name of ['factory-sandbox-1-aa', 'factory-sandbox-2-bb', 'factory-sandbox-x-cc', 'other'])
    mkdirSync(path.join(parent, name));
  sweepControlGroups(parent, (pid) => pid === 2);
  expect(readdirSync(parent).sort()).toEqual(['factory-sandbox-2-bb', 'factory-sandbox-x-cc', 'other']);
});

/** A hierarchy of version 2 that this process may use, whatever controllers it has: joining and removing are then the kernel's own. */
const hierarchy = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((directory) => {
  try {
    accessSync(directory, constants.W_OK);
    accessSync(path.join(directory, 'cgroup.procs'), constants.W_OK);
    return existsSync(path.join(directory, 'cgroup.controllers'));
  } catch {
    return false;
  }
});

test.runIf(hierarchy !== undefined)(
  'the kernel counts a program that joined in the group, and lets the empty group go',
  () => {
    const directory = path.join(hierarchy!, `factory-test-${process.pid}`);
    mkdirSync(directory);
    onTestFinished(() => void execFileSync('rmdir', [directory]));
    const [file = '', ...args] = joinCommand(directory, ['/bin/cat', '/proc/self/cgroup']);
    const said = execFileSync(file, args, { encoding: 'utf8' });
    expect(said).toMatch(new RegExp(`^0::.*/factory-test-${process.pid}$`, 'm'));
  },
);

test.skipIf(!probed.usable)('what a driver says of its limits is what this machine has', () => {
  expect(probed).toMatchObject({ identity: { limits: findControlGroup().usable ? 'cgroup' : 'rlimit' } });
});
