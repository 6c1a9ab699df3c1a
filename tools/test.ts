/**
 * `npm test`: installs the foreign programs that tests drive, runs all checks and unit tests, then
 * every suite against the real program. Its last line is `N passed, N failed`.
 *
 * With paths as arguments it runs only the test files whose path begins like that.
 */
import { filesOf, SERVER_TESTS, ROOT, runChecks } from './running/checks.ts';
import { installPrograms, installServers } from './running/programs.ts';
import { exitCodeOf, sum, verdict } from './running/tally.ts';
import type { Tally } from './running/tally.ts';
import { lineOf, runTestFile } from './running/test-file.ts';

const MINUTE_MS = 60_000;
/** In this order: what breaks most plainly comes first. Limits are for one file. */
const SUITES = [
  { tests: SERVER_TESTS, timeoutMs: 5 * MINUTE_MS },
  { tests: 'test/system/**/*.test.ts', timeoutMs: 10 * MINUTE_MS },
  { tests: 'test/compat/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/simulation/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/crash/**/*.test.ts', timeoutMs: 30 * MINUTE_MS },
] as const;

const print = (line: string): void => console.log(line);

async function runSuites(wanted: readonly string[]): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const { tests, timeoutMs } of SUITES) {
    const paths = (await filesOf(ROOT, [tests])).filter((path) => {
      return wanted.length === 0 || wanted.some((start) => path.startsWith(start));
    });
    for (const path of paths) {
      print(`\n${path}`);
      const onOutput = (text: string): void => void process.stdout.write(text);
      const result = await runTestFile(path, { root: ROOT, timeoutMs, onOutput });
      print(lineOf(result));
      if (result.tally.failed > 0) failures.push(lineOf(result));
      tallies.push(result.tally);
    }
  }
  return tallies;
}

const failures: string[] = [];
const wanted = process.argv.slice(2);
const context = {
  root: ROOT, path: process.env['PATH'] ?? '', isSuperuser: process.getuid?.() === 0, print,
};
const missing = [...await installPrograms(context), ...await installServers(context)];
// A missing program is a failure, not a skip: what was not run has proved nothing.
const programs: Tally = { passed: 0, failed: missing.length, skipped: 0 };
const checks = wanted.length === 0 ? [await runChecks({ root: ROOT, print })] : [];
const total = sum([programs, ...checks, ...(await runSuites(wanted))]);

print('');
for (const name of missing) print(`FAIL missing program: ${name}`);
for (const line of failures) print(line);
// All programs are here now: what is still skipped would never be run at all.
if (total.skipped > 0) print(`FAIL ${total.skipped} skipped`);
const judged = { ...total, failed: total.failed + total.skipped };
print(verdict(judged));
process.exitCode = exitCodeOf(judged);
