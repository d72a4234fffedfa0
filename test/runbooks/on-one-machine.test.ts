import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../docs/documents.ts';

/** The runbooks' own shell, block by block as it stands on the pages, on a plane that runs as people run it. */
const place = mkdtempSync(path.join(tmpdir(), 'factory-runbooks-'));
const LIMIT_MS = 1_200_000;

/** Runs the timer that takes an anchor, with the key of the host's own API. */
const anchorNow = `MANAGEMENT=.factory/hosts/control/management.json
    field() { node -p "JSON.parse(require('fs').readFileSync('$MANAGEMENT', 'utf8')).$1"; }
    curl -sf -X POST "$(field url)/admin/functions/anchor" -H "x-functions-key: $(field key)" -H 'Content-Type: application/json' -d '{}' >/dev/null`;

// The pages' prelude for one machine. "up" goes on in the background here, and nobody is there to answer a question.
const PRELUDE = `
set -euo pipefail
cli() { node "${root}/cli/main.ts" "$@"; }
factory() {
  if [[ "$1" == up ]]; then
    (setsid node "${root}/cli/main.ts" up --port 0 --sandbox process </dev/null >up.log 2>&1 &)
    for _ in $(seq 600); do
      if grep -qs '"ready":true' .factory/running.json; then api; return; fi
      sleep 0.1
    done
    cat up.log; return 1
  fi
  if [[ "$1 \${2:-}" == "restore accept" ]]; then cli "$@" --yes; else cli "$@"; fi
}
# Where the plane answers: another port each time.
api() { API="$(sed -n 's/.*"controlUrl":"\\([^"]*\\)".*/\\1/p' .factory/running.json)/api/v1"; }
[[ ! -e .factory/running.json ]] || api
`;

function shell(script: string, variables: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', PRELUDE + script], {
    cwd: place,
    encoding: 'utf8',
    // Queued jobs are hinted again sooner than people would wait for.
    env: { PATH: process.env['PATH'] ?? '', HOME: place, FACTORY_HINT_SECONDS: '3', ...variables },
    timeout: LIMIT_MS,
  });
  expect(status, `${script}\n${stdout}\n${stderr}`).toBe(0);
  return stdout.trim();
}

/** The one shell block of a page that has all of these words. */
function block(page: string, ...words: readonly string[]): string {
  const text = readFileSync(path.join(root, 'docs', 'runbooks', page), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, inner = '']) => inner);
  const [found, ...more] = blocks.filter((one) => words.every((word) => one.includes(word)));
  expect([page, found, more.length]).toEqual([page, expect.any(String), 0]);
  return found ?? '';
}

/** Repeats a call until its answer has these words; for minutes at most. */
const waitFor = (call: string, words: string, variables: Readonly<Record<string, string>>): string =>
  shell(
    `for _ in $(seq 2400); do if answer="$(${call.trim()})" && [[ "$answer" == *"$WORDS"* ]]; then exit; fi; sleep 0.1; done; echo "$answer"; exit 1`,
    { ...variables, WORDS: words },
  );

const tokenOf = (identity: string): string => shell(`factory --as ${identity} token`);
const principalOf = (token: string): string =>
  JSON.parse(shell('curl -s $API/me -H "Authorization: Bearer $TOKEN"', { TOKEN: token })).principal;
const packet = path.join(root, 'examples/parcel-rates/packets/fix-rounding.yaml');
let application = '';

const submit = (): string => shell(`factory submit ${packet} --application ${application}`);
function submitToGate(): string {
  const request = submit();
  shell(`factory watch ${request} --until gate --limit 600 || [[ $? == 50 ]]`);
  return request;
}
const approvalOf = (request: string): string =>
  (JSON.parse(shell('factory --json --as approver approvals')) as { id: string; request: string }[]).find(
    (one) => one.request === request,
  )!.id;
const approve = (request: string): string =>
  shell(`factory --as approver approve ${approvalOf(request)} --yes && factory watch ${request} --limit 600`);

beforeAll(() => {
  const declared = readFileSync(path.join(root, 'examples/parcel-rates/application.yaml'), 'utf8');
  writeFileSync(path.join(place, 'application.yaml'), `${declared}\nsandbox: { allowProcess: true }\n`);
  shell('factory up');
  const made = shell('factory example example');
  execFileSync('git', ['clone', '--quiet', '--bare', path.resolve(place, made), path.join(place, 'remote.git')]);
  application = shell('factory register application.yaml --repository remote.git');
  shell('factory install plan parcel-rates --yes');
}, LIMIT_MS);
afterAll(() => {
  shell('factory down || true');
  rmSync(place, { recursive: true, force: true });
});

test(
  'break glass: somebody is let in, stops a request, and is let out',
  () => {
    const [policyOwner, person] = [tokenOf('policy-owner'), tokenOf('auditor')];
    const variables = { POLICY_OWNER: policyOwner, BREAK_GLASS: person };
    const give = block('break-glass.md', '/principals', 'roles -H');
    // A person of the organisation's issuer; then one whom the local issuer knows.
    expect(shell(give, variables)).toContain('"changed":true');
    const known = { ...variables, PERSON: principalOf(person) };
    shell(give.slice(give.indexOf('curl -s $API/principals/$PERSON')), known);
    const request = submitToGate();
    const look = block('break-glass.md', '/status').split('\n');
    const [status = '', cancel = ''] = look;
    waitFor(status, 'incarnation', known);
    expect(shell(cancel, { ...known, REQUEST: request })).toContain('"cancelling"');
    expect(shell(`factory watch ${request} --limit 600 || [[ $? == 40 ]]`)).toContain('CANCELLED');
    expect(shell(block('break-glass.md', 'withdraw'), known)).toContain('"changed":true');
    for (let tries = 0; shell(status, known).includes('incarnation'); tries++) expect(tries).toBeLessThan(300);
    expect(shell(status, known)).toContain('FACTORY-FORBIDDEN');
  },
  LIMIT_MS,
);

test(
  'compromised worker: without its role it gets no job, with it the work goes on',
  () => {
    const [policyOwner, station] = [tokenOf('policy-owner'), tokenOf('station')];
    const variables = { POLICY_OWNER: policyOwner, WORKER: principalOf(station), STATION: station };
    expect(shell(block('compromised-worker.md', 'principals?limit=100'), variables)).toContain('"name":"station"');
    const claim = `curl -s $API/pools/build/claim -H "Authorization: Bearer $STATION" -H 'Content-Type: application/json' -d '{"claimId":"runbook-000001"}'`;
    waitFor(claim, 'FACTORY-FORBIDDEN', variables);
    const request = submit();
    const jobs = `curl -s $API/requests/${request}/jobs -H "Authorization: Bearer $AUDITOR"`;
    waitFor(jobs, '"node":"plan"', { AUDITOR: tokenOf('auditor') });
    const give = block('compromised-worker.md', '$WORKER/roles -H');
    expect(shell(give, variables)).toContain('"changed":true');
    shell(`factory watch ${request} --until gate --limit 600 || [[ $? == 50 ]]`);
  },
  LIMIT_MS,
);

test(
  'signing key and lease secret are replaced, and what the old key signed still verifies',
  () => {
    const request = submitToGate();
    approve(request);
    shell(`factory evidence ${request} --out before.json`);
    const before = readFileSync(path.join(place, '.factory/plane/keys/lease.key'));
    shell(`mkdir somewhere-safe\n${block('rotate-keys.md', 'somewhere-safe')}`);
    expect(readFileSync(path.join(place, '.factory/plane/keys/lease.key'))).not.toEqual(before);
    const keys = (file: string) => JSON.parse(readFileSync(path.join(place, file), 'utf8')).keys.length as number;
    expect(keys('keys.json')).toBe(keys('keys-before.json') + 1);
    const next = submitToGate();
    approve(next);
    shell(`factory evidence ${next} --out after.json
    factory verify before.json --keys keys.json
    factory verify after.json --keys keys.json
    ! factory verify after.json --keys keys-before.json`);
  },
  LIMIT_MS,
);

test(
  'lost task hub: a request that waits at its gate goes on',
  () => {
    const request = submitToGate();
    expect(shell(block('lost-task-hub.md', 'rm -rf .factory/hosts/control'))).toMatch(/[1-9] supervisors started/);
    expect(approve(request)).toContain('PR_READY');
  },
  LIMIT_MS,
);

test(
  'the database put back, what is lost accepted, and the audit verified with it',
  () => {
    const anchors = path.join(place, '.factory/plane/anchors');
    shell('factory backup the-backup');
    const request = submit();
    const count = readdirSync(anchors).length;
    shell(
      `${anchorNow}
    for _ in $(seq 200); do [[ "$(ls .factory/plane/anchors | wc -l)" -gt ${count} ]] && break; sleep 0.1; done`,
    );
    // "status" ends with 1 where something is missing: that is its answer.
    const said = shell(
      block('restore-database.md', 'cp the-backup').replace('factory restore status', 'factory restore status || true'),
    );
    expect(said).toContain('are gone');
    expect(said).toContain('accepted: inc_');
    expect(shell('factory requests')).not.toContain(request);
    shell(anchorNow);
    const verified = shell(block('audit-verification.md', 'factory audit export'), { APPLICATION: application });
    expect(verified).toContain('a restore was accepted');
    expect(verified).toContain('lost to the restore');
  },
  LIMIT_MS,
);
