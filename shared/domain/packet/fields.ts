/**
 * What becomes of each field of a task packet. Four words, and no field without one:
 *
 * - *enforced*: the plane or the verifier stops what crosses it;
 * - *measured*: the verifier runs or compares it, and the verdict rests on the result;
 * - *given*: context for whoever plans, reviews or approves; nothing rests on it;
 * - *refused*: nothing serves it, so a packet that sets it is refused when it is submitted.
 *
 * A pointer (RFC 6901) names a field; `*` stands for any item of a list. A request is judged by the table of its submission.
 */
export type FieldWord = 'enforced' | 'measured' | 'given' | 'refused';
export type FieldTerm =
  | { readonly word: Exclude<FieldWord, 'refused'>; readonly how: string }
  | {
      readonly word: 'refused';
      /** Why nothing serves it, as a sentence. */
      readonly how: string;
      /** What to do in its place, as a sentence. */
      readonly instead: string;
      /** The value that asks for nothing, where that is no empty list and no absence. */
      readonly unset?: string;
    };

const enforced = (how: string): FieldTerm => ({ word: 'enforced', how });
const measured = (how: string): FieldTerm => ({ word: 'measured', how });
const given = (how: string): FieldTerm => ({ word: 'given', how });
const refused = (how: string, instead: string, unset?: string): FieldTerm => ({
  word: 'refused',
  how,
  instead,
  ...(unset === undefined ? {} : { unset }),
});

const SHOWN = 'Shown at the gate; part of the packet that the evidence names.';
const TOOLS_UNSERVED = refused(
  'The stations of this plane choose their own tools; no list of a packet reaches them.',
  "Take it out; bound the packet's own commands with boundary.allowedCommands.",
);
const CONTEXT_UNSERVED = refused(
  'No station reads it.',
  'Say what matters of it under intent, and name files of the repository under context.files.',
);
const SYSTEMS_UNSERVED = refused(
  'A change is bounded by paths of a repository; nothing compares it with systems outside.',
  'Take it out; bound the change with scope.allowedPaths and mustNotChange.',
);

const RULE_PATHS_UNSERVED = refused(
  'A rule looks at what the packet has in scope.',
  'Remove it; the packet says which files in scope.allowedPaths and scope.deniedPaths.',
);
const RULE_WORDS_UNSERVED = refused(
  'It is for readers of a linter.',
  'Remove it; the packet says what the rule is for in "intent".',
);

export const PACKET_FIELDS: Readonly<Record<string, FieldTerm>> = {
  '/apiVersion': enforced('Any other version is refused at submit.'),
  '/kind': enforced('Any other kind is refused at submit.'),
  '/goal': given('Title of request and pull request; shown at the gate, kept in the evidence.'),
  '/intent': given('Shown at the gate and in the pull request, kept in the evidence.'),
  '/source/kind': given('Named in the pull request, kept in the evidence.'),
  '/source/reference': given('Named in the pull request, kept in the evidence.'),
  '/source/url': given('Kept in the evidence.'),
  '/scope/repository': enforced('A repository that the application does not declare is refused at submit.'),
  '/scope/ref': enforced(
    'The effector fetches this branch or commit and no other; the pull request is made against the branch, or the default branch that holds the commit.',
  ),
  '/scope/allowedPaths': measured('A changed path outside ends the request as out_of_scope.'),
  '/scope/deniedPaths': measured('A changed path inside ends the request as out_of_scope.'),
  '/scope/services': SYSTEMS_UNSERVED,
  '/scope/customers': SYSTEMS_UNSERVED,
  '/scope/systems': SYSTEMS_UNSERVED,
  '/nonGoals': given(
    'Shown at the gate and in the pull request; what must be measured of them goes under mustNotChange.',
  ),
  '/mustNotChange/paths': measured('A change of one of these paths ends the request as out_of_scope.'),
  '/mustNotChange/packages': measured(
    'A locked version of one of these packages that moves ends the request as out_of_scope.',
  ),
  '/mustNotChange/publicApi': measured('A change of what the package offers ends the request as out_of_scope.'),
  '/acceptance/*/given': given(SHOWN),
  '/acceptance/*/when': given(SHOWN),
  '/acceptance/*/then': given(SHOWN),
  '/edgeCases': refused(
    'No station reads it, and nothing would test the cases.',
    'Write them as acceptance criteria, or as tests that the change brings.',
  ),
  '/context/files': measured('A glob that matches no file of the base is missing_context, before anything is built.'),
  '/context/tests': measured('A glob that matches no file of the base is missing_context, before anything is built.'),
  '/context/docs': CONTEXT_UNSERVED,
  '/context/decisions': CONTEXT_UNSERVED,
  '/context/failureModes': CONTEXT_UNSERVED,
  '/context/links': CONTEXT_UNSERVED,
  '/tools/mcp': TOOLS_UNSERVED,
  '/tools/cli': TOOLS_UNSERVED,
  '/tools/readOnly': TOOLS_UNSERVED,
  '/tools/mutating': TOOLS_UNSERVED,
  '/tools/denied': TOOLS_UNSERVED,
  '/boundary/allowedCommands': enforced(
    'A validation command that is neither here nor a declared check is refused at submit, and by the verifier.',
  ),
  '/boundary/network': refused(
    'Every sandbox of stations and verifier is offline.',
    "Take it out; packages are fetched beforehand, and the application's prepare command installs them.",
    'none',
  ),
  '/boundary/services': refused(
    'Every sandbox is offline, so no service can be reached.',
    'Take it out; let a check start what it needs.',
  ),
  '/boundary/secrets': enforced('No sandbox holds a secret, and a packet can ask for none.'),
  '/reproduction/command': measured('Must fail on the base and pass on the change.'),
  '/reproduction/expect': measured('Its one value is what the verifier holds the command to.'),
  '/reproduction/none': given('Kept in the receipts, shown in the pull request.'),
  '/validation/checks': measured(
    'These declared checks run on base and change; all of them where the list is empty. An undeclared one is refused at submit.',
  ),
  '/validation/scenarios': measured(
    'Every hidden scenario of the application runs on the change, whichever are named. Refused at submit where it has none.',
  ),
  '/validation/commands': measured('Each must exit with 0 on the change.'),
  '/validation/testsMayChange': measured('A changed test file outside ends the request as tests_touched.'),
  '/noOpRules': enforced('A finding that is not among them never ends the request as NO_OP: a person is asked.'),
  '/evidenceRequired': enforced(
    'Evidence that is not recorded ends the request as ESCALATE before anything is delivered.',
  ),
  '/stopCondition': refused(
    'Nothing reads it: a request stops at its deadline, its attempts and its limits.',
    'Give a deadline, or say under acceptance when it is done.',
  ),
  '/rollback': given('Shown at the gate and in the pull request, kept in the evidence.'),
  '/risk/atLeast': enforced('The computed risk is never lower.'),
  '/risk/securityExceptions': enforced('Any makes the risk critical.'),
  '/output/format': enforced(
    'A format that the product line does not offer is refused at submit; the effector delivers this one.',
  ),
  '/deadline': enforced('One in the past is refused at submit; work that has not delivered by then ends as ESCALATE.'),
  '/priority': enforced(
    'Of queued jobs one of the highest priority is claimed first, but for one claim in eight, which takes what waited longest.',
  ),
  '/line/name': enforced('A product line that is not installed is refused at submit; the line is what runs.'),
  '/line/patch': measured('The change is this patch and nothing else, as the verifier recomputes it.'),
  '/line/patchBase64': measured('The bytes of the patch, where a text would lose some; judged as the patch is.'),
  '/line/rules/*/id': enforced('Ids are unique; findings name a rule by its id.'),
  '/line/rules/*/language': measured('The verifier searches the files of this language.'),
  '/line/rules/*/rule': measured('Nothing in scope matches it on the change.'),
  '/line/rules/*/constraints': measured('They narrow the rule; nothing in scope matches it on the change.'),
  '/line/rules/*/utils': measured('The rule refers to them; nothing in scope matches it on the change.'),
  '/line/rules/*/transform': given('What the fix is made of; what comes of it is judged by rule, syntax and checks.'),
  '/line/rules/*/fix': given(
    'What the station puts in place of a match; what comes of it is judged by rule, syntax and checks.',
  ),
  '/line/rules/*/rewriters': refused(
    'Rewriters run in the command-line program of ast-grep only.',
    'Write their rewriting as rules of their own.',
  ),
  '/line/rules/*/files': RULE_PATHS_UNSERVED,
  '/line/rules/*/ignores': RULE_PATHS_UNSERVED,
  '/line/rules/*/severity': RULE_WORDS_UNSERVED,
  '/line/rules/*/message': RULE_WORDS_UNSERVED,
  '/line/rules/*/note': RULE_WORDS_UNSERVED,
  '/line/rules/*/url': RULE_WORDS_UNSERVED,
  '/line/rules/*/labels': RULE_WORDS_UNSERVED,
  '/line/rules/*/metadata': RULE_WORDS_UNSERVED,
  '/line/ecosystem': enforced('Any other ecosystem is refused at submit.'),
  '/line/package': measured('The locked versions of this package are what the verifier compares.'),
  '/line/range': measured('Every locked version lies inside on the change.'),
  '/line/mayMove': measured('Another package that moves beyond it ends the request as out_of_scope.'),
  '/line/copies': measured('A copy that it names and that lies outside of the range makes a change invalid.'),
  '/line/advisory': given('Part of the packet that the evidence names.'),
  '/line/environment': enforced(
    'An environment that the application does not declare is refused at submit; the effector deploys to this one.',
  ),
  '/line/allow': measured('A change of the plan that is neither usual nor allowed here is a question.'),
};

/** Kinds of evidence that no task makes, with what to require in their place. */
export const EVIDENCE_UNSERVED: Readonly<Record<string, string>> = {
  screenshots: 'test_output or before_after',
  traces: 'logs or test_output',
};
