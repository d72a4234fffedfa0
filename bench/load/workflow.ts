import { randomUUID } from 'node:crypto';
import type { Bench } from './bench.ts';

type RequestView = {
  readonly id: string;
  readonly state: string;
  readonly terminal: string | null;
  readonly conclusion: unknown;
  readonly waitingFor: readonly { readonly approval: string }[];
};

const packetOf = (line: string, goal: string): Record<string, unknown> => ({
  apiVersion: 'factory/v1',
  kind: 'TaskPacket',
  goal,
  intent: 'See what the plane costs.',
  source: { kind: 'person' },
  scope: { repository: 'bench', allowedPaths: ['src/**'] },
  acceptance: [{ given: 'a plane', when: 'a request is submitted', then: 'it ends' }],
  output: { format: 'note' },
  line: { name: line },
});

/** Submits a packet of its own (each is another artifact) and answers the request's id. */
export async function submit({ requester, application }: Bench, line = 'bench'): Promise<string> {
  const key = randomUUID();
  const body = { application, packet: packetOf(line, `Measure the plane, ${key}`) };
  const { id } = await requester.call<{ id: string }>('POST', '/requests', body, { 'idempotency-key': key });
  return id;
}

/** One governed workflow as people see it: submitted, approved once it asks for that, followed to its end. Answers its duration in milliseconds. */
export async function runWorkflow(bench: Bench): Promise<number> {
  const begun = performance.now();
  const id = await submit(bench);
  const { waitingFor } = await waitFor(bench, id, 'gate');
  const approval = waitingFor[0]?.approval;
  if (approval === undefined) throw new Error(`request ${id} asks for no approval`);
  await approve(bench, id, approval);
  await untilEnded(bench, id);
  return performance.now() - begun;
}

async function approve({ approver }: Bench, request: string, approval: string): Promise<void> {
  const { items } = await approver.call<{ items: readonly { id: string; subject: string }[] }>(
    'GET',
    `/requests/${request}/approvals`,
  );
  const subject = items.find((item) => item.id === approval)?.subject;
  await approver.call('POST', `/approvals/${approval}/decisions`, {
    decision: 'approve',
    subject,
    reason: 'Measured.',
  });
}

/** Waits for the end; throws when it is another one than NO_OP, the only success of a line without effects. */
export async function untilEnded(bench: Bench, id: string, limitMs = 120_000): Promise<void> {
  const { terminal, conclusion } = await waitFor(bench, id, 'terminal', limitMs);
  if (terminal !== 'NO_OP') throw new Error(`request ${id} ended as ${terminal}: ${JSON.stringify(conclusion)}`);
}

async function waitFor(
  { requester }: Bench,
  id: string,
  until: 'gate' | 'terminal',
  limitMs = 120_000,
): Promise<RequestView> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const view = await requester.call<RequestView>('GET', `/requests/${id}`, undefined, {
      prefer: `wait=25; until=${until}`,
    });
    if (view.state === 'terminal' || (until === 'gate' && view.waitingFor.length > 0)) return view;
    if (performance.now() > deadline) throw new Error(`request ${id} is still ${view.state} after ${limitMs / 1000} s`);
  }
}
