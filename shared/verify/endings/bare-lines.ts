const LINE = 1_000;
const LINES = 20_000;

/**
 * Output as patterns read it: each line without the indentation and marks that runners put before what they quote (pytest's `E`, TAP's
 * and Node's `#` and `ℹ`, npm's prefix, Jest's `●`, tree and box lines), and cut to 1,000 characters, so that every pattern is bounded.
 */
export function bareLines(output: string): string {
  return output
    .split('\n', LINES)
    .map((line) => line.slice(0, LINE).replace(PREFIX, '').trimEnd())
    .join('\n');
}

const PREFIX =
  /^(?:[\s│┃|>●○×✖✗✘❯→]|\[gw\d+\]|(?:E|W)(?= {2,})|(?:Uncaught|Caused by:|Serialized Error:|Exception during run:)\s|\d{4}-\d\d-\d\dT\S+\s)+/;
