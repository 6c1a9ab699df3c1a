/** Runs test files, each in a process of its own, and counts single tests. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './child.ts';
import type { ChildEnd } from './child.ts';
import type { OutcomeLine } from './outcome-reporter.ts';
import { sum } from './tally.ts';
import type { Tally } from './tally.ts';

const PROMISES = new URL('./untracked-promises.ts', import.meta.url).href;
const REPORTER = new URL('./outcome-reporter.ts', import.meta.url).href;

export interface TestFileOptions {
  readonly root: string;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What the file is told on its command line. */
  readonly words?: readonly string[];
}

export interface TestFileResult {
  readonly path: string;
  readonly tally: Tally;
  readonly end: ChildEnd;
  /** Why the file as a whole counts as one more failure. */
  readonly complaint?: string;
}

/** `path` from the root. A file that dies, hangs or holds no test counts as a failure. */
export async function runTestFile(path: string, options: TestFileOptions): Promise<TestFileResult> {
  const { root, timeoutMs } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'holdfast-test-run-'));
  try {
    const outcomes = join(scratch, 'outcomes');
    const args = [
      '--import', PROMISES, '--test-reporter=spec', '--test-reporter-destination=stdout',
      `--test-reporter=${REPORTER}`, `--test-reporter-destination=${outcomes}`,
      path, ...options.words ?? [],
    ];
    // A runner above us would make the file report to it, in a form of its own.
    const env = { ...options.env, NODE_TEST_CONTEXT: undefined };
    const end = await runChild(process.execPath, args, { cwd: root, timeoutMs, env });
    const counted = count(await readOutcomes(outcomes));
    const complaint = complaintAbout(counted, end, timeoutMs);
    if (complaint === undefined) return { path, tally: counted, end };
    return { path, tally: { ...counted, failed: counted.failed + 1 }, end, complaint };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function complaintAbout(tally: Tally, end: ChildEnd, timeoutMs: number): string | undefined {
  if (end.isTimedOut) return `still running after ${timeoutMs / 1000} s`;
  if (end.code !== 0 && tally.failed === 0) return `ended with code ${end.code}`;
  if (tally.passed + tally.failed + tally.skipped === 0) return 'holds no tests';
  return undefined;
}

async function readOutcomes(path: string): Promise<OutcomeLine[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  // A file that was killed may have left half a line.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as OutcomeLine);
}

function count(lines: readonly OutcomeLine[]): Tally {
  const of = (wanted: string): number => lines.filter(({ outcome }) => outcome === wanted).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

/** Runs quick files beside each other. Prints one line for each, and everything of a failed one. */
export async function runQuickFiles(
  paths: readonly string[],
  options: TestFileOptions & { readonly print: (line: string) => void },
): Promise<Tally> {
  const { print } = options;
  const waiting = [...paths];
  const tallies: Tally[] = [];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const result = await runTestFile(path, options);
      tallies.push(result.tally);
      if (result.tally.failed > 0) print(result.end.output.trimEnd());
      print(lineOf(result));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return sum(tallies);
}

export function lineOf({ path, tally, end, complaint }: TestFileResult): string {
  const { passed, failed, skipped } = tally;
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} FAILED`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (complaint !== undefined) parts.push(complaint);
  const seconds = (end.durationMs / 1000).toFixed(1);
  return `${failed > 0 ? 'FAIL' : 'ok  '} ${path}: ${parts.join(', ')} (${seconds} s)`;
}
