/**
 * `npm run proof:mysql -- PATH`: every test that starts a MariaDB server of its own, and what is
 * peculiar to MySQL, against a real MySQL. Debian stable has none, so that this is no part of
 * `npm test`; docs/mariadb.md says how to get one. Its last line is `N passed, N failed`.
 *
 * PATH is a mysqld, or a folder into which its packages were extracted. Further words are the
 * beginnings of the paths of tests: then only those are run.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { mysqlProgram } from '../src/platform/mariadb/testing/index.ts';
import { runChild } from './running/child.ts';
import { ROOT, filesOf } from './running/checks.ts';
import { runSuiteFiles, suiteFiles } from './running/suites.ts';
import { exitCodeOf, sum, verdict } from './running/tally.ts';
import { lineOf } from './running/test-file.ts';
import { buildWebPage } from './running/web-page.ts';

const MINUTE_MS = 60_000;
/** By what a test says of itself where it gets a server from. Galera is MariaDB's alone. */
const STARTS_SERVER = /mariadb\/testing\/|\/testing\/lent-|support\/(?:database|two-nodes)\.ts/;
const STARTS_SERVER_BESIDE = /from '\.\/testing\/index\.ts'/;
const OF_GALERA = /galera/i;
/** Fewer would mean that those above no longer say what they said. */
const FILES_MIN = 30;

const print = (line: string): void => console.log(line);

function isAboutServer(path: string): boolean {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const isBeside = path.startsWith('src/platform/mariadb/') && STARTS_SERVER_BESIDE.test(text);
  return (isBeside || STARTS_SERVER.test(text)) && !OF_GALERA.test(text);
}

/** What the server says of itself. @throws Error: it cannot be started. */
async function versionOf(path: string): Promise<string> {
  const [program = '', ...words] = mysqlProgram(path).begin;
  const { code, output } = await runChild(program, [...words, '--version'], {
    cwd: ROOT, timeoutMs: MINUTE_MS,
  });
  if (code !== 0) throw new Error(`It cannot be started: ${output}`);
  return output.trim().replace(/^.*\sVer\s/, '');
}

interface Proof {
  /** The test of what is peculiar to MySQL. */
  readonly peculiar: string;
  readonly path: string;
  readonly wanted: readonly string[];
}

async function prove({ peculiar, path, wanted }: Proof): Promise<number> {
  print(`MySQL ${await versionOf(path)}`);
  const missing = await buildWebPage({ root: ROOT, print });
  const all = (await filesOf(ROOT, ['{src,test}/**/*-with-server.test.ts'])).filter(isAboutServer);
  if (all.length < FILES_MIN) throw new Error(`Only ${all.length} tests with a server were found`);
  const known = await suiteFiles(ROOT, all);
  const files = [...known, { path: peculiar, timeoutMs: 10 * MINUTE_MS }].filter((file) =>
    wanted.length === 0 || wanted.some((start) => file.path.startsWith(start)));
  const results = await runSuiteFiles(files, { root: ROOT, print, words: [`--mysqld=${path}`] });
  const total = sum(results.map(({ tally }) => tally));
  // What was skipped has proved nothing.
  const judged = { ...total, failed: total.failed + total.skipped + missing.length };
  print('');
  for (const result of results) print(lineOf(result));
  print(verdict(judged));
  return exitCodeOf(judged);
}

// package.json says the first word.
const [peculiar, given, ...wanted] = process.argv.slice(2);
if (peculiar === undefined || given === undefined) {
  print('Say which MySQL: npm run proof:mysql -- PATH, a mysqld or a folder with its extracted '
    + 'packages. How to get one: docs/mariadb.md.');
  print(verdict({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
} else {
  process.exitCode = await prove({ peculiar, path: resolve(given), wanted });
}
