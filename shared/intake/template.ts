import { LINE_NAMES, type LineName } from '../domain/packet/line-input.ts';
import { Refusal } from '../domain/refusal.ts';
import { unknownLine } from './packet-faults.ts';

const LINE_PART: Readonly<Record<LineName, string>> = {
  patch: `line:
  name: patch
  # The change itself, as "git diff" prints it: files with the prefixes a/ and b/.
  patch: |
    FILL-IN
`,
  'api-migration': `line:
  name: api-migration
  # Structural rules of ast-grep: what to find, and what to put in its place. $NAME stands for one node, $$$NAME for several.
  rules:
    - id: first-rule
      language: typescript # javascript, typescript, tsx, html or css
      rule:
        pattern: FILL-IN
      fix: FILL-IN
`,
  'dependency-update': `line:
  name: dependency-update
  ecosystem: npm
  package: FILL-IN
  # Semver range that the locked version must lie in afterwards, e.g. ">=1.4.2 <2".
  range: FILL-IN
  # What may move beside it: none; compatible (the default), what it needs by steps that are not major; needed, by any step; any.
  # mayMove: compatible
  # Which copies have to come into the range: all (the default), or direct, those that the manifests ask for themselves.
  # copies: all
  # The advisory that asks for it, if there is one.
  # advisory: GHSA-...
`,
  'azure-deployment': `line:
  name: azure-deployment
  # An environment that the application declares: its folder of compiled files, subscription, stack and location.
  environment: FILL-IN
  # What else than creating and modifying the deployment may do.
  # allow: [Delete, Unsupported]
`,
};

const SCOPE_PATHS: Readonly<Record<LineName, string>> = {
  patch: 'FILL-IN # e.g. src/**',
  'api-migration': 'FILL-IN # e.g. src/**',
  'dependency-update': 'package.json',
  'azure-deployment':
    'FILL-IN # the file plan.json in the folder of the environment, e.g. infra/compiled/dev/plan.json',
};
const MORE_PATHS: Readonly<Record<LineName, string>> = {
  patch: '',
  'api-migration': '',
  'dependency-update': '    - package-lock.json\n',
  'azure-deployment': '',
};
const SOURCE: Readonly<Record<LineName, string>> = {
  patch: 'person',
  'api-migration': 'migration_spec',
  'dependency-update': 'advisory',
  'azure-deployment': 'person',
};
const FORMAT: Readonly<Record<LineName, string>> = {
  patch: 'pull_request # or patch',
  'api-migration': 'pull_request # or patch',
  'dependency-update': 'pull_request # or patch',
  'azure-deployment': 'deployment',
};

/**
 * A task packet of a product line to fill in: YAML with a comment at every field. As it stands it is refused; with every
 * FILL-IN replaced it parses. Refuses an unknown line with 422 `FACTORY-LINE-UNKNOWN`.
 */
export function packetTemplate(line: string): string {
  const name = LINE_NAMES.find((known) => known === line);
  if (name === undefined) {
    const fault = unknownLine(line);
    throw new Refusal(422, 'FACTORY-LINE-UNKNOWN', fault.message, { details: [fault] });
  }
  return `# A task packet of the product line ${name}. Replace every FILL-IN; fields after a "#" are optional.
apiVersion: factory/v1
kind: TaskPacket

# One observable behaviour: what is true afterwards that is not true now.
goal: FILL-IN
# Why it is wanted.
intent: FILL-IN

source:
  kind: ${SOURCE[name]} # ticket, pull_request, alert, customer_report, advisory, migration_spec, schedule or person
  # reference: TICKET-1
  # url: https://example.com/TICKET-1

scope:
  repository: FILL-IN # name of a repository of the application
  # ref: main
  # Nothing outside these paths may change. Globs: *, **, ? and {a,b}.
  allowedPaths:
    - ${SCOPE_PATHS[name]}
${MORE_PATHS[name]}  deniedPaths: []

# What it is not about, so that nobody does it by the way.
nonGoals: []
# What of that is measured: a change that crosses it is refused.
# mustNotChange:
#   paths: [src/api/**]
#   packages: [left-pad] # their locked versions
#   publicApi: true # what the package offers to others

# How anybody can tell that it is done.
acceptance:
  - given: FILL-IN
    when: FILL-IN
    then: FILL-IN

# A command that fails now and passes afterwards, as a list of arguments, or the reason why there is none.
reproduction:
  none: FILL-IN
  # command: [npm, test]

validation:
  checks: [] # names of checks the application declares; all of them when empty
  scenarios: []
  commands: []
  testsMayChange: [] # globs of test files that this change may touch

# Evidence without which it never counts as done: diff, logs, test_output, before_after, failed_reproduction, pull_request.
# evidenceRequired: [test_output]
# rollback: Revert the merge commit.
# deadline: "2030-01-31T12:00:00Z" # work that has not delivered by then is a question
# priority: 5 # 0 to 9; of queued jobs the highest is worked on first
# risk: { atLeast: medium } # raises the computed risk, never lowers it
output:
  format: ${FORMAT[name]}

${LINE_PART[name]}`;
}
