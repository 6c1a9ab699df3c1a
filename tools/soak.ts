/**
 * `npm run soak [-- HOURS]`: simulations of the store with new seeds, batch after batch, for so
 * many hours (1 without a number), after every crash state of longer workloads. Ends at the first
 * failure, whose tape it prints; the last line says how much was done.
 */
import { runChild } from './running/child.ts';
import { ROOT } from './running/checks.ts';

const HOUR_MS = 60 * 60_000;
const BATCH_HISTORIES = 2000;
const FOLDER = 'test/simulation';

const print = (line: string): void => console.log(line);

/** Answers whether all of its tests passed. */
async function run(file: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const onOutput = (text: string): void => void process.stdout.write(text);
  const options = { cwd: ROOT, timeoutMs: 24 * HOUR_MS, env, onOutput };
  const { code } = await runChild(process.execPath, ['--test', `${FOLDER}/${file}`], options);
  return code === 0;
}

const hours = Number(process.argv[2] ?? 1);
if (!(hours > 0)) throw new Error('Say for how many hours, as a number above zero.');
const startedMs = performance.now();
const left = (): boolean => performance.now() - startedMs < hours * HOUR_MS;
// Never the seeds of another day.
let seed = Math.trunc(performance.timeOrigin / 1000) * 1000;
let histories = 0;
let isSound = await run('crash-states.test.ts', {
  HOLDFAST_CRASH_STATE_WRITES: '3', HOLDFAST_CRASH_STATE_OPERATIONS: hours >= 4 ? '4' : '3',
});
isSound &&= await run('erasure-sets.test.ts', {
  HOLDFAST_ERASURE_CRASH_EVERY: '1', HOLDFAST_ERASURE_HISTORIES: '500',
  HOLDFAST_SIMULATION_SEED: String(seed),
});
while (isSound && left()) {
  print(`\nseeds from ${seed} on`);
  isSound = await run('store-histories.test.ts', {
    HOLDFAST_SIMULATION_SEED: String(seed), HOLDFAST_SIMULATION_HISTORIES: String(BATCH_HISTORIES),
  });
  seed += BATCH_HISTORIES;
  histories += BATCH_HISTORIES;
}
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(0);
print(`${isSound ? 'ok' : 'FAILED'}: ${histories} histories in ${minutes} minutes`);
process.exitCode = isSound ? 0 : 1;
