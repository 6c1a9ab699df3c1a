/** A clean copy of the checkout: npm ci without development tools, then the first start. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../servers/children.ts';
import { addUser, runHoldfast } from '../servers/holdfast.ts';
import type { Item, Subject } from './item.ts';

const INSTALL_MAX_MS = 300_000;

/** What a clone would hold, including what is not committed yet, and nothing that is ignored. */
async function copyCheckout(source: string, target: string): Promise<void> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = await runProgram('git', args, { cwd: source });
  if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.output.slice(-200)}`);
  for (const file of listed.output.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(source, file), join(target, file), { verbatimSymlinks: true });
  }
}

async function install({ settings }: Subject): Promise<Measurement> {
  const folder = join(settings.scratchFolder, 'install');
  const repository = join(folder, 'checkout');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(repository, { recursive: true });
  await copyCheckout(settings.repository, repository);
  // An empty cache: what a stranger's machine has to fetch.
  const cache = join(folder, 'npm-cache');
  const args = ['ci', '--omit=dev', '--no-fund', '--no-audit', '--cache', cache];
  const run = await runProgram('npm', args, { cwd: repository, timeoutMs: INSTALL_MAX_MS });
  if (run.status !== 0) {
    throw new Error(`npm ci ended with ${run.status}: ${run.output.slice(-300)}`);
  }
  await addUser({ folder, repository });
  const { child, startMs } = await runHoldfast({ folder, repository });
  await child.stop();
  return { value: (run.elapsedMs + startMs) / 1000, unit: 's' };
}

async function size(subject: Subject): Promise<Measurement> {
  const repository = join(subject.settings.scratchFolder, 'install', 'checkout');
  const used = await runProgram('du', ['-sm', '--apparent-size', repository]);
  if (used.status !== 0) throw new Error('there is no installed copy to weigh');
  return { value: Number(/^\d+/.exec(used.output)?.[0]) * 1.048576, unit: 'MB' };
}

export const INSTALL_ITEMS: readonly Item[] = [
  {
    id: 'install-time', title: 'npm ci --omit=dev and first start', group: 'install',
    isHoldfastOnly: true, roundsMax: 1, run: install,
  },
  {
    id: 'install-size', title: 'installed size', group: 'install', isHoldfastOnly: true,
    roundsMax: 1, run: size,
  },
];
