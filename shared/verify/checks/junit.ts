/** One test as a reporter told it. */
export type ReportedTest = { readonly name: string; readonly outcome: 'passed' | 'failed' | 'skipped' };

// Markup in the order it must be tried: what may hold a `<` of its own comes first.
const markup =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_][\w.-]*)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g;

/**
 * The test cases of a JUnit XML report, in order; undefined when the text is not one whole report. Reads the elements that
 * matter and nothing else: no entities are expanded, so a hostile report can't grow.
 */
export function readJunit(text: string): ReportedTest[] | undefined {
  const tests: ReportedTest[] = [];
  const open: string[] = [];
  let current: { name: string; outcome: ReportedTest['outcome'] } | undefined;
  let roots = 0;
  for (const [, closing, element, attributes = '', empty] of text.matchAll(markup)) {
    if (element === undefined) continue;
    if (closing === '/') {
      if (open.pop() !== element) return undefined;
      if (element === 'testcase' && current !== undefined) {
        tests.push(current);
        current = undefined;
      }
      continue;
    }
    if (open.length === 0) roots += 1;
    if (element === 'testcase')
      current = {
        name: attribute(attributes, 'classname') + attribute(attributes, 'name'),
        // GoogleTest says of a disabled test that it was not run, and of no other.
        outcome: /^(?:notrun|disabled)\0$/.test(attribute(attributes, 'status')) ? 'skipped' : 'passed',
      };
    else if (current !== undefined && (element === 'failure' || element === 'error')) current.outcome = 'failed';
    else if (current !== undefined && element === 'skipped' && current.outcome === 'passed')
      current.outcome = 'skipped';
    if (empty !== '/') open.push(element);
    else if (element === 'testcase' && current !== undefined) {
      tests.push(current);
      current = undefined;
    }
  }
  return open.length === 0 && roots === 1 ? tests : undefined;
}

function attribute(attributes: string, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  return `${match?.[1] ?? match?.[2] ?? ''}\u0000`;
}
