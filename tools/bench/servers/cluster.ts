/** Holdfast with several copies: on folders of one disk, or on filers of this machine. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Target } from '../load/jobs.ts';
import { Child, runProgram } from './children.ts';
import { addUser, PASSWORD, runHoldfast, USER } from './holdfast.ts';

const START_MAX_MS = 60_000;
const COMMAND_MAX_MS = 60_000;

export interface Cluster {
  readonly target: Target;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly folder: string;
  readonly repository: string;
  readonly copies: 1 | 3;
  readonly onFilers: boolean;
}

/** Everything is stored `copies` times before it counts as stored. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, repository, copies, onFilers } = options;
  await addUser({ folder, repository });
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await child.stop();
  };
  try {
    if (copies > 1) await addDisks(options, children);
    const { child, port } = await runHoldfast({
      folder, repository,
      env: {
        HOLDFAST_STORAGE_COPIES: String(copies),
        HOLDFAST_STORAGE_COPIES_ACKNOWLEDGED: String(copies),
      },
    });
    children.push(child);
    if (onFilers) await retireOwnDisk(options);
    const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    const target = {
      host: '127.0.0.1', port, root: `/remote.php/dav/files/${USER}/`,
      headers: `Authorization: Basic ${credentials}\r\n`,
    };
    return { target, pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function addDisks(options: ClusterOptions, children: Child[]): Promise<void> {
  const { folder, repository, onFilers } = options;
  // Once, so that everything is there that disks are added to.
  const first = await runHoldfast({ folder, repository });
  await first.child.stop();
  if (!onFilers) {
    for (const name of ['disk2', 'disk3']) {
      mkdirSync(join(folder, name));
      await command(options, ['disk', 'add', join(folder, name), '--yes']);
    }
    return;
  }
  await command(options, ['cluster', 'key']);
  for (const name of ['filer1', 'filer2', 'filer3']) {
    const port = await freePort();
    const child = new Child({
      command: join(repository, 'holdfast'),
      args: [
        'serve', '--roles', 'filer', '--data', join(folder, name), '--listen', '127.0.0.1:0',
        '--filer-listen', `127.0.0.1:${port}`, '--cluster-key', join(folder, 'data/cluster.key'),
      ],
      logFile: join(folder, `${name}.log`),
    });
    children.push(child);
    await child.waitForOutput(/This filer keeps volumes/, START_MAX_MS);
    await command(options, ['disk', 'add', '--filer', `127.0.0.1:${port}`, '--yes']);
  }
}

/** So that the filers alone keep the files. */
async function retireOwnDisk(options: ClusterOptions): Promise<void> {
  const listed = await command(options, ['disk', 'list', '--json']);
  const { disks } = JSON.parse(listed) as { disks: { id: string; where: string }[] };
  const own = disks.find(({ where }) => !where.startsWith('filer:'));
  if (own === undefined) throw new Error('the server has no disk of its own');
  await command(options, ['disk', 'drain', own.id, '--yes']);
}

async function command({ folder, repository }: ClusterOptions, words: string[]): Promise<string> {
  const args = [...words, '--data', join(folder, 'data')];
  const program = join(repository, 'holdfast');
  const { status, output } = await runProgram(program, args, {
    input: '', timeoutMs: COMMAND_MAX_MS,
  });
  if (status === 0) return output;
  throw new Error(`holdfast ${words.join(' ')}: ${output.slice(0, 300)}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
