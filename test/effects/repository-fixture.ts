import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { IN_TOTO_PAYLOAD } from '../../shared/evidence/dsse/envelope.ts';
import { PREDICATE_TYPE, sha256Subject, statementBytes, statementOf } from '../../shared/evidence/statement.ts';
import type { ArtifactKind } from '../../shared/jobs/protocol.ts';
import { bundleRepository } from '../../shared/sandbox/git/bundle.ts';
import { diffTrees } from '../../shared/sandbox/git/diff.ts';
import { parseCommitId, parseTreeId } from '../../shared/sandbox/git/object-id.ts';
import { treeDigest } from '../../shared/sandbox/git/tree-survey.ts';
import { changeEvidence } from '../evidence/facts.ts';
import { type ControlServer, startControlServer, type TestJob } from '../jobs/control-server.ts';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Example Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'Example Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
  GIT_COMMITTER_DATE: '1700000000 +0000',
};

export function git(repository: string, args: string[], input?: string): string {
  return execFileSync('git', ['-C', repository, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...IDENTITY },
    input: input ?? '',
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trim();
}

function writeTree(repository: string, files: Record<string, string>): string {
  const folders = Object.groupBy(Object.entries(files), ([path]) =>
    path.split('/').length > 1 ? path.split('/')[0]! : '',
  );
  const entries = Object.entries(folders).flatMap(([folder, inside = []]) =>
    folder === ''
      ? inside.map(
          ([name, text]) => `100644 blob ${git(repository, ['hash-object', '-w', '--stdin'], text)}\t${name}\n`,
        )
      : [
          `040000 tree ${writeTree(repository, Object.fromEntries(inside.map(([path, text]) => [path.slice(folder.length + 1), text])))}\t${folder}\n`,
        ],
  );
  return git(repository, ['mktree'], entries.join(''));
}

/** A commit of plain files, in a bare repository. */
export function commitFiles(
  repository: string,
  files: Record<string, string>,
  parent?: string,
): { commit: string; tree: string } {
  const tree = writeTree(repository, files);
  return {
    tree,
    commit: git(repository, ['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent]), '-m', 'a commit']),
  };
}

type Inputs = Record<string, { kind: ArtifactKind; bytes: Uint8Array | string }>;

/** A bare repository with a main branch, a change to it as a station and a verifier would hand it over, and a control server. */
export async function deliveryFixture(
  options: {
    format?: 'pull_request' | 'patch' | 'deployment';
    goal?: string;
    /** Files of base and change, and what packet and declaration have beside the usual. */
    files?: { base: Record<string, string>; change: Record<string, string> };
    packet?: Record<string, unknown>;
    declaration?: Record<string, unknown>;
  } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'factory-effects-'));
  const bare = join(directory, 'hosted.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  const base = commitFiles(
    bare,
    options.files?.base ?? { 'rate.js': 'export const rate = 1;\n', 'README.md': 'rates\n' },
  );
  git(bare, ['update-ref', 'refs/heads/main', base.commit]);

  const work = join(directory, 'work.git');
  execFileSync('git', ['clone', '--quiet', '--bare', '--no-hardlinks', bare, work], { stdio: 'ignore' });
  const change = commitFiles(
    work,
    options.files?.change ?? { 'rate.js': 'export const rate = 2;\n', 'README.md': 'rates\n' },
    base.commit,
  );
  await bundleRepository({
    repository: work,
    commit: parseCommitId(base.commit),
    file: join(directory, 'source.bundle'),
  });
  await bundleRepository({
    repository: work,
    commit: parseCommitId(change.commit),
    base: parseCommitId(base.commit),
    file: join(directory, 'change.bundle'),
  });
  const diff = await diffTrees({ repository: work, from: parseTreeId(base.tree), to: parseTreeId(change.tree) });
  const digest = `sha256:${await treeDigest({ repository: work, tree: parseTreeId(change.tree) })}`;
  const baseDigest = `sha256:${await treeDigest({ repository: work, tree: parseTreeId(base.tree) })}`;

  const request = newId('request', 1_750_000_000_000);
  const packet = {
    apiVersion: 'factory/v1',
    kind: 'TaskPacket',
    goal: options.goal ?? 'The rate is 2',
    intent: 'So that it is right',
    source: { kind: 'person' },
    scope: { repository: 'rates', allowedPaths: ['**'] },
    output: { format: options.format ?? 'pull_request' },
    line: { name: 'patch', patch: 'x' },
    ...options.packet,
  };
  const declaration = {
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: 'rates',
    repositories: [{ name: 'rates', codeHost: 'local', location: bare }],
    ...options.declaration,
  };
  const some = digestOfBytes('some');
  const receipt = (tree: string = digest) => ({
    schemaVersion: 1,
    claims: {
      stage: 'validate',
      verdict: 'valid',
      packet: some,
      declaration: some,
      base: { commit: base.commit, gitTree: base.tree, tree: baseDigest },
      head: { gitTree: change.tree, tree },
      baseline: null,
      line: { line: 'patch', patchAlreadyIn: false },
      reproduction: { before: null, after: null, reasonForNone: 'none' },
      checks: [],
      commands: [],
      scenarios: [],
      tests: { fromBase: 0, fromBaseDigest: some, fromChange: [] },
      sandbox: { kind: 'bubblewrap', isolation: 'isolated', versions: {} },
      faults: [],
      notVerified: [],
    },
    observations: {
      startedAt: '2025-01-01T00:00:00Z',
      finishedAt: '2025-01-01T00:00:01Z',
      lineName: 'patch',
      runs: [],
    },
  });
  const inputs: Inputs = {
    packet: { kind: 'packet', bytes: JSON.stringify(packet) },
    declaration: { kind: 'declaration', bytes: JSON.stringify(declaration) },
    source: { kind: 'source_bundle', bytes: await readFile(join(directory, 'source.bundle')) },
    change: { kind: 'change_bundle', bytes: await readFile(join(directory, 'change.bundle')) },
    diff: { kind: 'diff', bytes: diff.patch },
    receipt: { kind: 'receipt', bytes: JSON.stringify(receipt()) },
    evidence: { kind: 'change_evidence', bytes: evidenceOf(request, digest, packet.goal) },
  };
  const control: ControlServer = await startControlServer();

  return {
    control,
    directory,
    bare,
    work,
    base,
    change,
    digest,
    request,
    inputs,
    packet,
    declaration,
    receipt,
    branch: `factory/${request}`,
    deliverJob: (
      over: { inputs?: Inputs; parameters?: Record<string, unknown>; leaseMs?: number; omit?: string[] } = {},
    ): TestJob =>
      control.enqueue({
        pool: 'effect',
        task: 'deliver',
        request,
        leaseMs: over.leaseMs ?? 5_000,
        parameters: over.parameters ?? {},
        inputs: Object.fromEntries(
          Object.entries({ ...inputs, ...over.inputs }).filter(([name]) => !(over.omit ?? []).includes(name)),
        ),
      }),
    /** Everything that matters outside the plane: branches and pull requests. */
    async outside() {
      const branches = git(bare, ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/factory'])
        .split('\n')
        .filter((line) => line !== '');
      const { readdir } = await import('node:fs/promises');
      const pullRequests = await readdir(join(bare, 'factory-pull-requests')).then(
        (names) => names.filter((name) => name.endsWith('.json')),
        () => [],
      );
      return { branches, pullRequests };
    },
    /** Runs an effector process on a hint until it ends; answers the signal that ended it, and what it printed. */
    effector: (job: TestJob, crashAt?: string, azure?: string) =>
      ended(startEffector(control, join(directory, 'data'), job, crashAt, azure)),
    async close() {
      await control.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
export type DeliveryFixture = Awaited<ReturnType<typeof deliveryFixture>>;

/** Where no Azure Resource Manager answers: for effectors that deploy nothing. */
const NOWHERE = 'http://127.0.0.1:9';
export const noAzure = armAt(NOWHERE, { getToken: async () => null });

export function startEffector(control: ControlServer, data: string, job: TestJob, crashAt?: string, azure = NOWHERE) {
  const script = fileURLToPath(new URL('./effector-process.ts', import.meta.url));
  const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  return spawn(node, [script, control.url, data, JSON.stringify(control.hint(job)), azure], {
    env: { PATH: process.env['PATH'] ?? '', ...(crashAt === undefined ? {} : { FACTORY_CRASH_AT: crashAt }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export async function ended(
  child: ReturnType<typeof startEffector>,
): Promise<{ signal: string | null; code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** An envelope of change evidence about this request and tree, as the plane would have signed it. */
export function evidenceOf(request: string, tree: string, goal: string): string {
  const facts = changeEvidence();
  const about = {
    ...facts,
    request: { ...facts.request, id: request },
    task: { ...facts.task, goal },
    change: { ...facts.change, tree },
  };
  const statement = statementOf(PREDICATE_TYPE.changeEvidence, [sha256Subject('tree', tree)], about);
  const signatures = [{ keyid: 'key', sig: Buffer.from('signature').toString('base64') }];
  return JSON.stringify({
    payload: statementBytes(statement).toString('base64'),
    payloadType: IN_TOTO_PAYLOAD,
    signatures,
  });
}
