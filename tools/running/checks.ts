/** What `npm run check` checks: types, lint, tidy, the page on settings, unit tests. */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { sum } from './tally.ts';
import type { Tally } from './tally.ts';
import { runQuickFiles } from './test-file.ts';

/** Far more than they need: a busy machine is no reason to fail. */
const UNIT_TIMEOUT_MS = 300_000;
const CHECK_TIMEOUT_MS = 600_000;
const UNIT_TESTS = [
  'src/**/*.test.ts', 'wire/**/*.test.ts', 'tools/**/*.test.ts', 'launcher/*.test.mjs',
  'web/src/**/*.test.ts', 'test/support/*.test.ts',
];

/** They start servers of others and take their time: only `npm test` runs them. */
const SERVER_TEST = /-with-server\.test\.ts$/;
export const SERVER_TESTS = 'src/**/*-with-server.test.ts';

interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

const QUICK: readonly Check[] = [
  { name: 'types', args: ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json'] },
  {
    name: 'types of the web page',
    args: ['node_modules/typescript7/bin/tsc', '-p', 'web/tsconfig.json'],
  },
  { name: 'tidy', args: ['tools/tidy/main.ts'] },
  { name: 'configuration page', args: ['tools/configuration-page.ts', '--check'] },
  { name: 'client of the API', args: ['tools/wire-client.ts', '--check'] },
];
const LINT: Check = {
  name: 'lint',
  args: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', 'src', 'test', 'tools', 'web'],
};

export interface CheckContext {
  readonly root: string;
  readonly print: (line: string) => void;
}

/** Everything, each check counted as one and each unit test as one. */
export async function runChecks(context: CheckContext): Promise<Tally> {
  const quick: Tally[] = [];
  for (const check of QUICK) quick.push(await runCheck(check, context));
  const [lint, units] = await Promise.all([runCheck(LINT, context), runUnitTests(context)]);
  return sum([...quick, lint, units]);
}

async function runCheck({ name, args }: Check, { root, print }: CheckContext): Promise<Tally> {
  const options = { cwd: root, timeoutMs: CHECK_TIMEOUT_MS };
  const { code, output, durationMs } = await runChild(process.execPath, args, options);
  if (code !== 0) print(output.trimEnd());
  print(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${(durationMs / 1000).toFixed(1)} s)`);
  return { passed: Number(code === 0), failed: Number(code !== 0), skipped: 0 };
}

async function runUnitTests({ root, print }: CheckContext): Promise<Tally> {
  const paths = await unitTests(root);
  return runQuickFiles(paths, { root, print, timeoutMs: UNIT_TIMEOUT_MS });
}

export async function unitTests(root: string): Promise<string[]> {
  return (await filesOf(root, UNIT_TESTS)).filter((path) => !SERVER_TEST.test(path));
}

/** Paths from the root, sorted. */
export async function filesOf(root: string, patterns: readonly string[]): Promise<string[]> {
  const exclude = ['**/node_modules/**', 'data/**', 'test-artefacts/**'];
  const found = await Array.fromAsync(glob(patterns, { cwd: root, exclude }));
  return [...new Set(found)].sort();
}

export const ROOT = join(import.meta.dirname, '../..');
