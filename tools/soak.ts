/** `npm run soak [-- TIME]`: simulations of the store, for as long as you like. What can be said
 *  behind it stands in test/simulation/soak.ts. */
import { runChild } from './running/child.ts';
import { ROOT } from './running/checks.ts';

const DAY_MS = 24 * 60 * 60_000;

const args = ['test/simulation/soak.ts', ...process.argv.slice(2)];
const { code } = await runChild(process.execPath, args, {
  cwd: ROOT, timeoutMs: 20 * DAY_MS, onOutput: (text) => void process.stdout.write(text),
});
process.exitCode = code;
