/** The real desktop client: a tree up, and down again into an empty folder. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { POOL } from '../load/content.ts';
import type { Measurement } from '../measurement.ts';
import { findProgram, runProgram } from '../servers/children.ts';
import { PASSWORD, USER } from '../servers/holdfast.ts';
import { MissingServer } from '../servers/bench-server.ts';
import { usageOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const LEAF_FOLDERS = 20;
const SMALL_BYTES_MIN = 1024;
const SMALL_BYTES_MAX = 20 * 1024;
const CLIENT_MAX_MS = 180_000;
const REMOTE = 'bench/client';

/** Twenty folders with one leaf folder each; sizes step evenly from 1 to 20 KiB. */
function makeTree(folder: string, fileCount: number, bigBytes: number): void {
  for (let leaf = 0; leaf < LEAF_FOLDERS; leaf += 1) {
    mkdirSync(join(folder, `branch-${leaf}`, 'leaf'), { recursive: true });
  }
  for (let index = 0; index < fileCount; index += 1) {
    const span = SMALL_BYTES_MAX - SMALL_BYTES_MIN;
    const sizeBytes = SMALL_BYTES_MIN + Math.floor((span * index) / Math.max(1, fileCount - 1));
    const bytes = Buffer.from(POOL.subarray(index * 512, index * 512 + sizeBytes));
    bytes.writeUInt32LE(index, 0);
    writeFileSync(join(folder, `branch-${index % LEAF_FOLDERS}`, 'leaf', `file-${index}`), bytes);
  }
  const big = Buffer.alloc(bigBytes);
  for (let at = 0; at < bigBytes; at += POOL.length) {
    POOL.copy(big, at);
    big.writeUInt32LE(at, at); // Else every block of the file would be the same one.
  }
  writeFileSync(join(folder, 'big'), big);
}

async function sync(subject: Subject, local: string): Promise<Measurement> {
  const program = findProgram('nextcloudcmd');
  if (program === undefined) throw new MissingServer('nextcloudcmd is not installed');
  const { scratchFolder, clientFiles } = subject.settings;
  const home = join(scratchFolder, 'client-home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const { host, port } = subject.server.target;
  const args = [
    '--non-interactive', '--silent', '-h', '--max-sync-retries', '3', '-u', USER, '-p', PASSWORD,
    '--path', `/${REMOTE}`, local, `http://${host}:${port}`,
  ];
  const env = { HOME: home, XDG_CONFIG_HOME: home, QT_QPA_PLATFORM: 'offscreen' };
  const { result, usage } = await subject.watch(
    () => runProgram(program, args, { env, timeoutMs: CLIENT_MAX_MS }),
  );
  if (result.status !== 0) {
    throw new Error(`nextcloudcmd ended with ${result.status}: ${result.output.slice(-200)}`);
  }
  return { value: result.elapsedMs / 1000, unit: 's', ...usageOf(usage, clientFiles + 1) };
}

function sourceOf(subject: Subject): string {
  return join(subject.settings.scratchFolder, 'client-source');
}

async function up(subject: Subject): Promise<Measurement> {
  const { clientFiles, clientBigBytes } = subject.settings;
  const source = sourceOf(subject);
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source, { recursive: true });
  makeTree(source, clientFiles, clientBigBytes);
  const { statuses } = await subject.call({ method: 'DELETE', path: `${REMOTE}/` });
  if (![204, 404].includes(statuses[0] ?? 0)) throw new Error(`DELETE answered ${statuses[0]}`);
  await subject.makeFolder(REMOTE);
  return sync(subject, source);
}

async function down(subject: Subject): Promise<Measurement> {
  const target = join(subject.settings.scratchFolder, 'client-target');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const measured = await sync(subject, target);
  const skip = ['--exclude=.sync*', '--exclude=._sync*', '--exclude=.nextcloudsync*'];
  const compared = await runProgram('diff', ['-rq', ...skip, sourceOf(subject), target]);
  if (compared.status !== 0) throw new Error(`the trees differ: ${compared.output.slice(0, 200)}`);
  return measured;
}

const TREE = '2,000 files of 1-20 KiB and one of 200 MB';

export const CLIENT_ITEMS: readonly Item[] = [
  {
    id: 'client-up', title: `nextcloudcmd up, ${TREE}`, group: 'client', isHoldfastOnly: true,
    roundsMax: 1, run: up,
  },
  {
    id: 'client-down', title: `nextcloudcmd down, ${TREE}`, group: 'client', isHoldfastOnly: true,
    roundsMax: 1, run: down,
  },
];
