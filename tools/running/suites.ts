/**
 * The suites against the real program. Their files wait for disks, timers and clients for a part of
 * their time: on two processors two of them at a time left a seventh of both unused. So one more
 * than there are processors is run at a time. The longest come first: else one of them would run
 * alone at the end.
 */
import { availableParallelism } from 'node:os';
import { SERVER_TESTS, filesOf } from './checks.ts';
import { lineOf, runTestFile } from './test-file.ts';
import type { TestFileResult } from './test-file.ts';

const MINUTE_MS = 60_000;
const LANES_MAX = 4;
/** Limits are for one file, and leave room for a machine that is busy with other things. */
const SUITES = [
  { tests: SERVER_TESTS, timeoutMs: 10 * MINUTE_MS },
  { tests: 'test/system/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/compat/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/browser/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/simulation/**/*.test.ts', timeoutMs: 15 * MINUTE_MS },
  { tests: 'test/scale/**/*.test.ts', timeoutMs: 10 * MINUTE_MS },
  { tests: 'test/crash/**/*.test.ts', timeoutMs: 30 * MINUTE_MS },
] as const;

/** About how long the long ones take, in seconds. Only the order depends on it. */
export const LONG_FILES: Readonly<Record<string, number>> = {
  'test/simulation/store-histories.test.ts': 190,
  'test/crash/kill-at-failpoints.test.ts': 190,
  'test/crash/kill-at-random.test.ts': 175,
  'test/system/filers.test.ts': 135,
  'test/compat/owncloudcmd.test.ts': 115,
  'test/compat/galera-with-server.test.ts': 95,
  'test/system/shard-drain-on-two-with-server.test.ts': 70,
  'test/system/object-store-with-server.test.ts': 70,
  'test/compat/nextcloudcmd.test.ts': 65,
  'test/system/erasure-sets.test.ts': 60,
  'test/crash/damage.test.ts': 60,
  'test/system/database-move-with-server.test.ts': 60,
  'test/system/web-nodes-with-server.test.ts': 60,
  'test/system/fresh-reads-with-server.test.ts': 55,
  'test/simulation/planted-bugs.test.ts': 55,
  'test/system/transfer.test.ts': 45,
  'src/metadata/stores/mariadb/moving-killed-with-server.test.ts': 45,
  'test/browser/administration.test.ts': 45,
  'test/system/disk-moves.test.ts': 40,
  'test/simulation/verifiers/fault-matrix-on-mariadb-with-server.test.ts': 35,
  'src/metadata/shards/shards-on-mariadb-with-server.test.ts': 35,
  'test/simulation/crash-states.test.ts': 35,
  'test/system/mariadb-with-server.test.ts': 35,
  'test/browser/sharing.test.ts': 35,
  'test/browser/time.test.ts': 35,
  'test/browser/files.test.ts': 30,
  'test/system/shards-with-server.test.ts': 30,
  'test/system/memory.test.ts': 30,
  'test/system/filer-refusals.test.ts': 30,
  'test/system/quota.test.ts': 25,
  'test/compat/clients-on-two-nodes-with-server.test.ts': 25,
  'test/system/key-rotation.test.ts': 25,
  'test/simulation/erasure-sets.test.ts': 25,
  'test/browser/account.test.ts': 25,
  'test/system/mariadb-round-trips-with-server.test.ts': 25,
  'src/storage/backends/s3/faults-with-server.test.ts': 25,
  'test/crash/kill-in-lifecycle.test.ts': 25,
  'test/simulation/verifiers/fault-matrix.test.ts': 25,
  'test/system/accounts.test.ts': 25,
  'test/system/data-directory.test.ts': 20,
  'test/system/shard-drain.test.ts': 20,
  'test/crash/restore-batches.test.ts': 20,
  'test/system/tenant-move-with-server.test.ts': 20,
  'test/system/stopping.test.ts': 20,
};
const SHORT_FILE_S = 10;

export interface SuiteFile {
  readonly path: string;
  readonly timeoutMs: number;
}

/** Those whose path begins with one of `wanted`; all when nothing is wanted. */
export async function suiteFiles(root: string, wanted: readonly string[]): Promise<SuiteFile[]> {
  const suites = await Promise.all(SUITES.map(async ({ tests, timeoutMs }) => {
    return (await filesOf(root, [tests])).map((path) => ({ path, timeoutMs }));
  }));
  const isWanted = ({ path }: SuiteFile): boolean => {
    return wanted.length === 0 || wanted.some((start) => path.startsWith(start));
  };
  return longestFirst(suites.flat().filter(isWanted));
}

function longestFirst(files: readonly SuiteFile[]): SuiteFile[] {
  const secondsOf = ({ path }: SuiteFile): number => LONG_FILES[path] ?? SHORT_FILE_S;
  return files.toSorted((a, b) => secondsOf(b) - secondsOf(a));
}

export interface SuiteContext {
  readonly root: string;
  readonly print: (text: string) => void;
  readonly laneCount?: number;
  /** What each of the files is told on its command line. */
  readonly words?: readonly string[];
}

/** Each file's output is printed in one piece, at its end. */
export async function runSuiteFiles(
  files: readonly SuiteFile[], { root, print, laneCount, words = [] }: SuiteContext,
): Promise<TestFileResult[]> {
  const waiting = [...files];
  const results: TestFileResult[] = [];
  const runLane = async (lane: number): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { path, timeoutMs } = file;
      const result = await runTestFile(path, { root, timeoutMs, env: portsOf(lane), words });
      print(`\n${path}\n${result.end.output.trimEnd()}\n${lineOf(result)}`);
      results.push(result);
    }
  };
  const lanes = laneCount ?? Math.min(LANES_MAX, availableParallelism() + 1);
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane)));
  return results;
}

/** Two files at work never use the same port, not even one whose server is down for a moment. */
function portsOf(lane: number): Readonly<Record<string, string>> {
  return { TEST_PORTS: String(10_000 + lane * 1_000) };
}
