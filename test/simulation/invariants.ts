import { DatabaseSync } from 'node:sqlite';
import { chainHash, genesisHash } from '../../shared/audit/event.ts';
import { approvalMachine } from '../../shared/domain/approval/machine.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { effectMachine } from '../../shared/domain/effect/machine.ts';
import { jobMachine } from '../../shared/domain/job/machine.ts';
import type { Machine } from '../../shared/domain/machine.ts';
import { nodeMachine } from '../../shared/domain/node/machine.ts';
import { requestMachine } from '../../shared/domain/request/machine.ts';
import { FREE_POOL } from './prices.ts';

type Row = Record<string, string | number | null>;

/**
 * The state invariants of docs/invariants.md, checked over the database itself, past the store. `check` answers what is broken,
 * each with its number; it remembers states between calls, so that forbidden transitions are seen too.
 */
export function openInvariants(file: string): { check(): string[]; close(): void } {
  const database = new DatabaseSync(file, { readOnly: true });
  const all = (sql: string): Row[] => database.prepare(sql).all() as Row[];
  const known = new Map<string, string>();
  const epochs = new Map<string, number>();
  const results = new Map<string, string>();

  /** I1: reachable from the state seen before, by any number of the machine's events. */
  const reachable = (machine: Machine<string, string>): ReadonlyMap<string, ReadonlySet<string>> => {
    const map = new Map<string, Set<string>>();
    for (const start of Object.keys(machine.table)) {
      const seen = new Set([start]);
      for (const state of seen)
        for (const to of Object.values(machine.table[state] ?? {})) if (to !== undefined) seen.add(to);
      map.set(start, seen);
    }
    return map;
  };
  const machines = [
    { table: 'requests', reach: reachable(requestMachine) },
    { table: 'nodes', reach: reachable(nodeMachine) },
    { table: 'jobs', reach: reachable(jobMachine) },
    { table: 'approvals', reach: reachable(approvalMachine) },
    { table: 'effects', reach: reachable(effectMachine) },
  ];

  const transitions = (faults: string[]): void => {
    for (const { table, reach } of machines) {
      for (const row of all(`select id, state from ${table}`)) {
        const before = known.get(String(row['id']));
        if (before !== undefined && !reach.get(before)?.has(String(row['state'])))
          faults.push(`I1 ${table} ${row['id']}: ${before} became ${row['state']}`);
        known.set(String(row['id']), String(row['state']));
      }
    }
  };

  const jobs = (faults: string[]): void => {
    for (const row of all('select id, state, lease_epoch, lease_token_hash, result_body_hash, attempt from jobs')) {
      const id = String(row['id']);
      const epoch = Number(row['lease_epoch']);
      if (epoch < (epochs.get(id) ?? 0)) faults.push(`I7 job ${id}: epoch went from ${epochs.get(id)} to ${epoch}`);
      epochs.set(id, epoch);
      if (row['state'] === 'leased' && row['lease_token_hash'] === null)
        faults.push(`I7 job ${id} is leased without a token`);
      if (row['state'] === 'completed') {
        const result = String(row['result_body_hash']);
        if (results.has(id) && results.get(id) !== result) faults.push(`I9 job ${id}: its recorded result changed`);
        results.set(id, result);
      }
    }
  };

  const rules: readonly { readonly id: string; readonly words: string; readonly sql: string }[] = [
    {
      id: 'I3',
      words: 'terminal without terminal state, conclusion or evidence',
      sql: `select id from requests where (state = 'terminal') <> (terminal_state is not null and conclusion is not null and evidence_digest is not null)`,
    },
    {
      id: 'I3',
      words: 'concluding without a conclusion',
      sql: `select id from requests where state = 'concluding' and conclusion is null`,
    },
    {
      id: 'I4',
      words: 'ended request with an open job',
      sql: `select j.id from jobs j join requests r on r.id = j.request_id where r.state in ('concluding', 'terminal') and j.state in ('queued', 'leased')`,
    },
    {
      id: 'I4',
      words: 'ended request with an open approval',
      sql: `select a.id from approvals a join requests r on r.id = a.request_id where r.state in ('concluding', 'terminal') and a.state = 'open'`,
    },
    {
      id: 'I5',
      words: 'running request without an open node',
      sql: `select id from requests r where state = 'running' and not exists (select 1 from nodes n where n.request_id = r.id and n.state in ('ready', 'active'))`,
    },
    {
      id: 'I5',
      words: 'ready node left lying',
      sql: `select n.id from nodes n join requests r on r.id = n.request_id where r.state = 'running' and n.state = 'ready'`,
    },
    {
      id: 'I5',
      words: 'active job node without a job',
      sql: `select n.id from nodes n join requests r on r.id = n.request_id where r.state = 'running' and n.state = 'active' and n.kind in ('job', 'fan_out') and not exists (select 1 from jobs j where j.node_id = n.id)`,
    },
    {
      id: 'I5',
      words: 'active job node whose job has ended',
      sql: `select n.id from nodes n join requests r on r.id = n.request_id join jobs j on j.node_id = n.id where r.state = 'running' and n.state = 'active' and n.kind = 'job' and j.state not in ('queued', 'leased')`,
    },
    {
      id: 'I6',
      words: 'two rounds of a node stand',
      sql: `select request_id || ' ' || name as id from nodes where state <> 'superseded' group by request_id, name having count(*) > 1`,
    },
    {
      id: 'I12',
      words: 'a person counted twice',
      sql: `select approval_id as id from approval_decisions group by approval_id, principal_id having count(*) > 1`,
    },
    {
      id: 'I11',
      words: 'approved by the requester',
      sql: `select d.id from approval_decisions d join approvals a on a.id = d.approval_id join requests r on r.id = a.request_id where d.principal_id = r.requested_by`,
    },
    {
      id: 'I11',
      words: 'approved with too few people',
      sql: `select a.id from approvals a where a.decided_at is not null and a.state = 'approved' and a.required > (select count(*) from approval_decisions d where d.approval_id = a.id and d.decision = 'approve')`,
    },
    {
      id: 'I13',
      words: 'effect of an approval that was never approved',
      sql: `select e.id from effects e join approvals a on a.id = e.approval_id where not exists (select 1 from approval_decisions d where d.approval_id = a.id and d.decision = 'approve')`,
    },
    {
      id: 'I15',
      words: 'PR_READY with an effect that is not verified',
      sql: `select e.id from effects e join requests r on r.id = e.request_id where r.terminal_state = 'PR_READY' and e.state <> 'verified'`,
    },
    {
      id: 'I10',
      words: 'an attempt counted twice, or not at all',
      sql: `select j.id from jobs j where j.state in ('queued', 'leased') and (
        j.attempt - 1 < (select count(*) from job_attempts a where a.job_id = j.id and a.ended_as in ('failed', 'timed_out'))
        or j.attempt - 1 > (select count(*) from job_attempts a where a.job_id = j.id and a.ended_as in ('failed', 'timed_out', 'expired')))`,
    },
    {
      id: 'I25',
      words: 'an attempt that is open without its lease, or over with it',
      sql: `select a.job_id as id from job_attempts a join jobs j on j.id = a.job_id where (a.ended_at is null) <> (j.state = 'leased' and j.lease_epoch = a.epoch)`,
    },
    {
      id: 'I25',
      words: 'an ended attempt of a priced pool without a cost entry, or an entry without an ended attempt',
      sql: `select a.job_id as id from job_attempts a join jobs j on j.id = a.job_id left join cost_entries c on c.job_id = a.job_id and c.epoch = a.epoch where (a.ended_at is not null and j.pool <> '${FREE_POOL}') <> (c.job_id is not null)`,
    },
    {
      id: 'I25',
      words: 'a cost that is not the held time at its price',
      sql: `select c.job_id as id from cost_entries c join job_attempts a on a.job_id = c.job_id and a.epoch = c.epoch where c.quantity <> a.ended_at - a.leased_at or c.amount <> (c.quantity * c.price + 500000) / 1000000`,
    },
    {
      id: 'I25',
      words: 'a sum that is not that of its entries',
      sql: `select month as id from (select application_id, month, currency, amount from monthly_costs union all select application_id, month, currency, -sum(amount) from cost_entries group by application_id, month, currency) group by application_id, month, currency having sum(amount) <> 0`,
    },
    {
      id: 'I2',
      words: 'a command recorded twice',
      sql: `select command_id as id from audit_events group by tenant_id, command_id having count(*) > 1`,
    },
  ];

  const audit = (faults: string[]): void => {
    const chains = new Map<string, { seq: number; hash: Digest }>();
    for (const row of all('select stream, seq, bytes, hash from audit_events order by stream, seq')) {
      const stream = String(row['stream']);
      const before = chains.get(stream) ?? { seq: 0, hash: genesisHash(stream) };
      const hash = chainHash(before.hash, String(row['bytes']));
      if (Number(row['seq']) !== before.seq + 1) faults.push(`I20 ${stream}: ${row['seq']} follows ${before.seq}`);
      if (hash !== row['hash']) faults.push(`I20 ${stream} ${row['seq']}: the hash is not that of its bytes`);
      chains.set(stream, { seq: Number(row['seq']), hash });
    }
    for (const row of all('select stream, seq, hash from audit_heads')) {
      const chain = chains.get(String(row['stream']));
      if (chain?.seq !== Number(row['seq']) || chain.hash !== row['hash'])
        faults.push(`I20 ${row['stream']}: the head is not the last event`);
    }
  };

  return {
    check() {
      const faults: string[] = [];
      transitions(faults);
      jobs(faults);
      for (const rule of rules) for (const row of all(rule.sql)) faults.push(`${rule.id} ${rule.words}: ${row['id']}`);
      audit(faults);
      return faults;
    },
    close: () => database.close(),
  };
}
