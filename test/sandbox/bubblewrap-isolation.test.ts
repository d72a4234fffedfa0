import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { codeOf, scratch, writeFiles } from './repositories.ts';
import { bubblewrap, inside, limits, probed, text, writableDirectory } from './sandboxes.ts';

const canary = 'CANARY-7f3a9c';
const isRoot = process.getuid?.() === 0;

/**
 * Writes a secret somewhere on the machine for the length of a test, where this user may write. Open to all, so that only its absence
 * inside protects it; but what is below /usr is visible inside, and protected by its owner and mode alone.
 */
function plant(path: string): boolean {
  try {
    writeFileSync(path, canary, { flag: 'wx', mode: path.startsWith('/usr/share/') ? 0o600 : 0o644 });
  } catch {
    return false;
  }
  onTestFinished(() => rmSync(path, { force: true }));
  return true;
}

describe.skipIf(!probed.usable)('bubblewrap isolation', () => {
  test('the probe names what runs inside', () => {
    if (!probed.usable) throw new Error(probed.reason);
    expect(probed.identity).toMatchObject({ kind: 'bubblewrap', isolation: 'isolated' });
    expect(probed.identity.versions['node']).toBe(process.versions.node);
    expect(probed.identity.versions['bubblewrap']).toMatch(/^\d+\.\d+/);
  });

  test("no secret of the worker's machine can be read", async () => {
    const data = mkdtempSync(join(tmpdir(), 'factory-data-'));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const workspace = writableDirectory(data);
    const places = [
      join(homedir(), '.factory-canary'),
      join(data, 'signing-key.pem'),
      '/etc/factory-canary',
      '/var/tmp/factory-canary',
      '/run/factory-canary',
      '/opt/factory-canary',
      '/usr/etc/factory-canary',
      '/usr/local/etc/factory-canary',
      '/usr/share/factory-canary',
      '/dev/shm/factory-canary',
    ];
    const planted = places.filter(plant);
    expect(planted).toContain(join(data, 'signing-key.pem'));

    const script = `for f in ${places.join(' ')} /workspace/../signing-key.pem; do cat "$f" 2>/dev/null; done; grep -rs ${canary} /etc /home /root /run /var /opt /tmp /dev/shm /usr/etc /usr/local /usr/share/factory-canary; cat /proc/*/environ | tr '\\0' '\\n'; true`;
    const result = await inside(script, { mounts: [{ source: workspace, target: '/workspace', mode: 'read-write' }] });
    expect(text(result.stdout)).not.toContain(canary);
    expect(result.exitCode).toBe(0);
  });

  test('the environment holds what the run names and no more', async () => {
    process.env['FACTORY_CANARY'] = canary;
    onTestFinished(() => {
      delete process.env['FACTORY_CANARY'];
    });
    const result = await inside('env; cat /proc/*/environ', { environment: { NAMED: 'yes' } });
    expect(text(result.stdout)).toContain('NAMED=yes');
    expect(text(result.stdout)).not.toContain(canary);
    const names = text((await inside('env')).stdout)
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR']);
  });

  test('no process, user or account of the machine is in sight', async () => {
    const outside = spawn('sleep', ['30']);
    onTestFinished(() => void outside.kill('SIGKILL'));
    const result = await inside(
      `ls /proc | grep -cE '^[0-9]+$'; kill -0 ${outside.pid}; echo kill=$?; cat /etc/passwd; id; hostname; ls /sys 2>&1; ls -d /boot /root /var /mnt 2>&1`,
    );
    const seen = text(result.stdout);
    expect(Number(seen.split('\n')[0])).toBeLessThan(8);
    expect(seen).toContain('kill=1');
    expect(seen).toContain(
      'factory:x:1000:1000::/home/factory:/bin/sh\nuid=1000(factory) gid=1000(factory) groups=1000(factory)\nsandbox\n',
    );
    expect(seen.match(/No such file or directory/g)).toHaveLength(5);
    expect(outside.exitCode).toBeNull();
  });

  test('there is no network, on loopback, by name, by abstract socket or past the namespaces', async () => {
    const tcp = createServer((socket) => socket.end(canary)).listen(0, '127.0.0.1');
    const abstract = createServer((socket) => socket.end(canary)).listen(`\0factory-canary-${process.pid}`);
    onTestFinished(() => {
      tcp.close();
      abstract.close();
    });
    await new Promise((resolve) => tcp.once('listening', resolve));
    const address = tcp.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const program = `
      const net = require('node:net'), dns = require('node:dns'), os = require('node:os');
      const attempt = (options) => new Promise((done) => net.connect(options).on('error', (error) => done(error.code)).on('data', (data) => done(String(data))));
      (async () => {
        console.log(JSON.stringify({
          loopback: await attempt({ host: '127.0.0.1', port: ${port} }),
          abroad: await attempt({ host: '192.0.2.1', port: 80 }),
          abstract: await attempt({ path: '\\0factory-canary-${process.pid}' }),
          name: await new Promise((done) => dns.lookup('example.com', (error) => done(error?.code))),
          interfaces: Object.keys(os.networkInterfaces()),
        }));
      })();`;
    const result = await inside('exec node -', { stdin: Buffer.from(program) });
    expect(text(result.stderr)).toBe('');
    expect(JSON.parse(text(result.stdout))).toEqual({
      loopback: 'ECONNREFUSED',
      abroad: 'ENETUNREACH',
      abstract: 'ECONNREFUSED',
      name: expect.stringMatching(/^(?:EAI_AGAIN|ENOTFOUND)$/),
      interfaces: ['lo'],
    });
    expect(tcp.listening).toBe(true);
  });

  test('the filter refuses sockets of the hypervisor, io_uring and keyrings, and nothing a build needs', async () => {
    const program = [
      'import ctypes, errno, socket, sys',
      'libc = ctypes.CDLL(None, use_errno=True)',
      'def call(number, *args):',
      '    ctypes.set_errno(0)',
      '    return "ok" if libc.syscall(number, *args) >= 0 else errno.errorcode[ctypes.get_errno()]',
      'x64 = __import__("platform").machine() == "x86_64"',
      'def family(number):',
      '    try: socket.socket(number, socket.SOCK_STREAM if number != 16 else socket.SOCK_RAW).close(); return "ok"',
      '    except OSError as error: return errno.errorcode[error.errno]',
      'print(family(40), family(38), family(17), family(1), family(2), family(10), family(16), call(425, 1, 0), call(250 if x64 else 219, 0, -3, 1), call(321 if x64 else 280, 0, 0, 0))',
      'a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1).decode())',
    ].join('\n');
    const result = await inside('test -x /usr/bin/python3 || exit 77; exec /usr/bin/python3 -', {
      stdin: Buffer.from(program),
    });
    if (result.exitCode === 77)
      return process.stderr.write('no /usr/bin/python3 here: the filter is only seen to be on\n');
    expect(text(result.stdout)).toBe('EPERM EPERM EPERM ok ok ok ok EPERM EPERM EPERM\nx\n');
    return undefined;
  });

  test('no capability, no new privilege, a filter, no further user namespace', async () => {
    const result = await inside(
      "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t '; unshare --user true 2>/dev/null; echo unshare=$?; mount -t tmpfs x /tmp 2>/dev/null; echo mount=$?",
    );
    const zero = '0'.repeat(16);
    expect(text(result.stdout).trim().split('\n')).toEqual([
      ...['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}:${zero}`),
      'NoNewPrivs:1',
      'Seccomp:2',
      'unshare=1',
      'mount=32',
    ]);
  });

  test('nothing outside the given mounts can be written', async () => {
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const result = await inside(
      'for f in /x /usr/x /usr/bin/x /etc/x /etc/passwd /dev/x /opt/x /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger; do (echo evil > $f) 2>/dev/null && echo "wrote $f"; done; for f in /tmp ~ /dev/shm; do echo x > $f/x || echo "could not write $f"; done',
    );
    expect(text(result.stdout)).toBe('');
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(pattern);
  });

  test('mounts are what they say: read-write, read-only, and .git read-only in either', async () => {
    const writable = writableDirectory();
    const readable = scratch();
    chmodSync(readable, 0o755);
    writeFiles(readable, { 'package.json': '{}' });
    mkdirSync(join(writable, '.git/hooks'), { recursive: true });
    const result = await inside(
      'cat /packages/package.json; echo x > /packages/y; echo x > /workspace/new; echo x > /workspace/.git/config; echo x > /workspace/.git/hooks/post-commit; rm -rf /workspace/.git; mv /workspace/.git /workspace/g; pwd',
      {
        mounts: [
          { source: writable, target: '/workspace', mode: 'read-write' },
          { source: readable, target: '/packages', mode: 'read-only' },
        ],
        workingDirectory: '/workspace',
      },
    );
    expect(text(result.stdout)).toBe('{}/workspace\n');
    expect(readFileSync(join(writable, 'new'), 'utf8')).toBe('x\n');
    expect(existsSync(join(writable, '.git/hooks'))).toBe(true);
    expect(
      existsSync(join(writable, '.git/config')) ||
        existsSync(join(writable, '.git/hooks/post-commit')) ||
        existsSync(join(readable, 'y')),
    ).toBe(false);
    if (bubblewrap.fileOwner !== null) expect(statSync(join(writable, 'new')).uid).toBe(bubblewrap.fileOwner.uid);
  });

  test('a mount that would open the machine is refused', async () => {
    const directory = writableDirectory();
    symlinkSync('/', join(directory, 'root'));
    const mount = (source: string, target: string, mode: 'read-only' | 'read-write' = 'read-only') =>
      codeOf(inside('true', { mounts: [{ source, target, mode }] }));
    for (const source of ['/', join(directory, 'root'), join(directory, 'absent'), 'relative'])
      expect(await mount(source, '/workspace')).toBe('SANDBOX-MOUNT-REFUSED');
    for (const target of [
      '/',
      '/usr/bin',
      '/etc',
      '/proc/x',
      '/dev',
      '/opt/node/bin',
      'workspace',
      '/a/../etc',
      '/workspace/',
    ])
      expect(await mount(directory, target)).toBe('SANDBOX-MOUNT-REFUSED');
    symlinkSync('/etc', join(directory, '.git'));
    expect(await mount(directory, '/workspace', 'read-write')).toBe('SANDBOX-MOUNT-REFUSED');
    if (isRoot) expect(await mount(scratch(), '/workspace', 'read-write')).toBe('SANDBOX-MOUNT-REFUSED');
  });

  test('two sandboxes without network meet over a socket in a directory both have', async () => {
    const exchange = writableDirectory();
    const mounts = [{ source: exchange, target: '/exchange', mode: 'read-write' as const }];
    const server = await bubblewrap.start({
      argv: [
        'node',
        '-e',
        'require("node:net").createServer((s) => s.end("from the program")).listen("/exchange/socket", () => console.log("listening"))',
      ],
      workingDirectory: '/',
      mounts,
      environment: {},
      limits,
    });
    onTestFinished(async () => void (await server.stop()));
    await expect.poll(() => text(server.captured().stdout)).toContain('listening');
    const client = await inside(
      'exec node -e \'require("node:net").connect("/exchange/socket").on("data", (d) => console.log(String(d)))\'',
      { mounts },
    );
    expect(text(client.stdout)).toBe('from the program\n');
    expect(await server.stop()).toMatchObject({ endedBy: 'stopped', exitCode: null });
  });

  test('no open file of the worker is handed on', async () => {
    const secret = join(scratch(), 'secret');
    writeFileSync(secret, canary);
    const descriptor = openSync(secret, 'r');
    const result = await inside(
      `for f in /proc/self/fd/*; do n=\${f##*/}; case $n in 0|1|2) ;; *) cat /proc/self/fd/$n 2>/dev/null;; esac; done; cat /proc/self/fd/${descriptor} 2>/dev/null; true`,
    );
    expect(text(result.stdout)).not.toContain(canary);

    // What a careless supervisor left open, above the descriptors that Node cleans up.
    const program = `
      import { bubblewrapDriver } from ${JSON.stringify(new URL('../../shared/sandbox/bubblewrap/bubblewrap.ts', import.meta.url).href)};
      import { defaultSandboxLimits as limits } from ${JSON.stringify(new URL('../../shared/sandbox/limits.ts', import.meta.url).href)};
      const result = await bubblewrapDriver().run({ argv: ['/bin/sh', '-c', 'ls -l /proc/self/fd/; cat /proc/self/fd/200; true'], workingDirectory: '/', mounts: [], environment: {}, limits });
      console.log(new TextDecoder().decode(result.stdout));`;
    const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'pipe', 'pipe'];
    while (stdio.length < 200) stdio.push('ignore');
    stdio.push(descriptor);
    const seen = execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio }).toString();
    expect(seen).toContain('200 -> /dev/null');
    expect(seen).not.toContain(canary);
  });

  test.runIf(isRoot)('works as an ordinary user too', () => {
    const script = join(mkdtempSync('/var/tmp/factory-probe-'), 'probe.ts');
    onTestFinished(() => rmSync(join(script, '..'), { recursive: true }));
    chmodSync(join(script, '..'), 0o755);
    writeFileSync(
      script,
      `import { bubblewrapDriver } from ${JSON.stringify(new URL('../../shared/sandbox/bubblewrap/bubblewrap.ts', import.meta.url).href)};\nconsole.log(JSON.stringify(await bubblewrapDriver().probe()));`,
    );
    const answer: unknown = JSON.parse(
      execFileSync(process.execPath, [script], {
        uid: 65534,
        gid: 65534,
        env: { PATH: '/usr/bin:/bin' },
        cwd: '/',
      }).toString(),
    );
    expect(answer).toMatchObject({
      usable: true,
      identity: { isolation: 'isolated', versions: { node: process.versions.node } },
    });
  });
});
