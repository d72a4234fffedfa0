import type { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that is wrong only together with others: its name, and what is wrong with it. */
export type SettingFault = readonly [name: string, fault: string];

/**
 * Reads settings from an environment; one that is empty counts as absent. `further` names what no setting shows by itself.
 *
 * @throws Error that lists every missing or wrong setting by name; it never repeats a value.
 */
export function readSettings<S extends z.ZodObject>(
  who: string,
  schema: S,
  environment: Environment,
  further: (given: Environment) => Iterable<SettingFault> = () => [],
): z.infer<S> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const parsed = schema.safeParse(given);
  const faults: SettingFault[] = parsed.success
    ? []
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return [name, given[name] === undefined ? 'is not set' : issue.message];
      });
  faults.push(...further(given));
  if (parsed.success && faults.length === 0) return parsed.data;
  const lines = faults.map(([name, fault]) => `  ${name}: ${fault}`);
  throw new Error(
    `${who} can't start with these settings:\n${lines.join('\n')}\nSet them in the environment of the process (local.settings.json, or the app's settings in Azure).`,
  );
}
