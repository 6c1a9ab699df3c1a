/** `npm run check`: everything that can be checked without starting the program. */
import { ROOT, runChecks } from './running/checks.ts';
import { exitCodeOf, verdict } from './running/tally.ts';

const tally = await runChecks({ root: ROOT, print: (line) => console.log(line) });
if (tally.skipped > 0) console.log(`${tally.skipped} skipped`);
console.log(verdict(tally));
process.exitCode = exitCodeOf(tally);
