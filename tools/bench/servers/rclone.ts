import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child, findFreePort, findProgram, runProgram } from './children.ts';
import { MissingServer } from './bench-server.ts';
import type { BenchServer, StartOptions } from './bench-server.ts';
import { waitUntilAnswered } from './wait.ts';

export async function startRclone({ folder }: StartOptions): Promise<BenchServer> {
  const program = findProgram('rclone');
  if (program === undefined) throw new MissingServer('not installed');
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  const port = await findFreePort();
  const asked = await runProgram(program, ['version', '--config', '/dev/null']);
  const child = new Child({
    command: program,
    args: ['serve', 'webdav', files, '--addr', `127.0.0.1:${port}`, '--config', '/dev/null'],
    logFile: join(folder, 'output.log'),
  });
  const target = { host: '127.0.0.1', port, root: '/', headers: '' };
  await waitUntilAnswered(child, target);
  return {
    name: 'rclone',
    version: /rclone v[\w.-]+/.exec(asked.output)?.[0] ?? 'rclone',
    target,
    pid: child.pid,
    stop: () => child.stop(),
  };
}
