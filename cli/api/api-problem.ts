import { z } from 'zod';
import { CommandFailure } from '../failure.ts';
import { plainText } from '../output/terminal.ts';

const problem = z.object({
  code: z.string().default('FACTORY-UNKNOWN'),
  detail: z.string().default(''),
  title: z.string().default(''),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).default([]),
});

export type ApiFault = { readonly pointer: string; readonly code: string; readonly message: string };

/** What the plane refused (RFC 9457), with a line for each fault. */
export class ApiProblem extends CommandFailure {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly ApiFault[];
  constructor(status: number, code: string, detail: string, faults: readonly ApiFault[]) {
    const lines = faults.map((fault) => `\n  ${fault.pointer || '/'}: ${fault.message} (${fault.code})`);
    super(plainText(`${detail} [${code}]${lines.join('')}`));
    this.status = status;
    this.code = code;
    this.faults = faults;
  }
}

export async function problemFrom(answer: Response, what: string): Promise<ApiProblem> {
  const text = await answer.text().catch(() => '');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = {};
  }
  const { code, detail, title, errors } = problem
    .catch({ code: 'FACTORY-UNKNOWN', detail: '', title: '', errors: [] })
    .parse(json);
  const said = detail || title || `${what} was answered with status ${answer.status}`;
  return new ApiProblem(answer.status, code, said, errors);
}
