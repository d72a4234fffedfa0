import path from 'node:path';
import { allChecks } from './checks/all.ts';
import { requestsCompared } from './checks/requests.ts';
import { readCode } from './code.ts';
import { compileWith } from './compiler.ts';
import { runChecks } from './finding.ts';
import { functionsOfRole } from './functions-of-role.ts';
import { readFiles, readLanding } from './landing.ts';

/**
 * `node scripts/infra/main.ts` checks the landing zone without network and says what it could not check; exit 1 on a finding.
 * `node scripts/infra/main.ts functions ROLE` prints the functions that a role's app must list after a publish, one a line.
 */
const root = path.join(import.meta.dirname, '..', '..');
const infra = path.join(root, 'infra');
const [command, role = ''] = process.argv.slice(2);

if (command === 'functions') {
  for (const name of await functionsOfRole(root, role)) console.log(name);
} else {
  const landing = await readLanding(await readFiles(infra));
  const checks = allChecks(await readCode(root));
  const findings = runChecks(landing, checks);
  for (const check of checks) {
    const own = findings.filter((finding) => finding.check === check.id);
    console.log(`${own.length === 0 ? 'ok  ' : 'FAIL'} ${check.id.padStart(9)}  ${check.title}`);
    for (const { where, what } of own) console.log(`               ${where}: ${what}`);
  }
  const compiled = compileWith(infra, landing, checks);
  for (const found of compiled.kind === 'ran' ? compiled.faults : []) console.log(`FAIL     bicep  ${found}`);
  const resources = landing.templates.flatMap((document) => document.resources).length;
  console.log(
    `\n${landing.templates.length} templates, ${resources} resources, ${checks.length} checks, ${findings.length} findings.`,
  );
  console.log('Not checked here:');
  if (compiled.kind === 'absent')
    console.log(
      '- build and lint: there is no bicep and no az bicep on PATH, so the types of expressions, and of what resources and functions answer, are unchecked',
    );
  for (const line of requestsCompared()) console.log(`- ${line}`);
  console.log(
    '- anything a subscription would say: quotas, regions, policies, names that are taken, whether a what-if is empty the second time',
  );
  process.exitCode = findings.length > 0 || (compiled.kind === 'ran' && compiled.faults.length > 0) ? 1 : 0;
}
