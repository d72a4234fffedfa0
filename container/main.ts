/**
 * The one program of the image, started by a Container Apps job: `work` (when nothing is said) works off the pool of the settings and ends, `migrate`
 * migrates the database. Exit code 0: done, also when there was nothing to do or it was told to end; 1: not done, the reason on standard error; 2: no such command.
 */
const [command = 'work', ...more] = process.argv.slice(2);
const ending = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort(new Error(signal)));

try {
  if (more.length > 0 || !['work', 'migrate'].includes(command)) {
    process.stderr.write('usage: main.js [work | migrate]\n');
    process.exitCode = 2;
  } else if (command === 'work') {
    const { work } = await import('./work.ts');
    process.exitCode = await work(ending.signal);
  } else {
    const { migrate } = await import('./migrate.ts');
    // A migration is not cut short: each step is a transaction, and running it again goes on.
    await migrate();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

export {};
