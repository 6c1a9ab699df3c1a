/**
 * `npm test`: installs the foreign programs that tests drive, runs all checks and unit tests, then
 * every suite against the real program. Its last line is `N passed, N failed`.
 *
 * With paths as arguments it runs only the test files whose path begins like that.
 */
import { ROOT, runChecks } from './running/checks.ts';
import { installPrograms, installServers } from './running/programs.ts';
import { buildWebPage } from './running/web-page.ts';
import { runSuiteFiles, suiteFiles } from './running/suites.ts';
import { exitCodeOf, sum, verdict } from './running/tally.ts';
import type { Tally } from './running/tally.ts';
import { lineOf } from './running/test-file.ts';

const print = (line: string): void => console.log(line);

const wanted = process.argv.slice(2);
const context = {
  root: ROOT, path: process.env['PATH'] ?? '', isSuperuser: process.getuid?.() === 0, print,
};
const missing = [
  ...await installPrograms(context), ...await installServers(context),
  ...await buildWebPage(context),
];
// A missing program is a failure, not a skip: what was not run has proved nothing.
const programs: Tally = { passed: 0, failed: missing.length, skipped: 0 };
const checks = wanted.length === 0 ? [await runChecks({ root: ROOT, print })] : [];
const files = await suiteFiles(ROOT, wanted);
const results = await runSuiteFiles(files, { root: ROOT, print });
const total = sum([programs, ...checks, ...results.map(({ tally }) => tally)]);
const failures = results.filter(({ tally }) => tally.failed > 0).map(lineOf);

print('');
for (const name of missing) print(`FAIL missing program: ${name}`);
for (const line of failures) print(line);
// All programs are here now: what is still skipped would never be run at all.
if (total.skipped > 0) print(`FAIL ${total.skipped} skipped`);
const judged = { ...total, failed: total.failed + total.skipped };
print(verdict(judged));
process.exitCode = exitCodeOf(judged);
