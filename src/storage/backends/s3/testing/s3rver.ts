/** A real server of the S3 protocol for tests, in a process and a folder of its own. It does not
 *  check signatures; ceph.ts has one that does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const S3RVER_KEY = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
export const S3RVER_BUCKET = 'holdfast-test';

export class S3rver {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(): Promise<S3rver> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-s3rver-'));
    const home = dirname(createRequire(import.meta.url).resolve('s3rver/package.json'));
    const args = [
      '--no-deprecation', join(home, 'bin', 's3rver.js'), '--directory', folder,
      '--address', '127.0.0.1', '--port', '0', '--silent', '--no-vhost-buckets',
      '--configure-bucket', S3RVER_BUCKET,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    for await (const part of child.stdout) {
      said += String(part);
      const port = /listening on \S+:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return new S3rver(`http://127.0.0.1:${port}`, child, folder);
    }
    throw new Error(`s3rver did not start: ${said}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Where an object's bytes lie, to spoil them behind the store's back. */
  fileOf(key: string): string {
    return join(this.#folder, S3RVER_BUCKET, `${key}._S3rver_object`);
  }

  /** Where the objects of a prefix lie. */
  folderOf(prefix: string): string {
    return join(this.#folder, S3RVER_BUCKET, prefix);
  }

  /** Empties the bucket, as somebody with too many rights would. */
  async wipe(): Promise<void> {
    const bucket = join(this.#folder, S3RVER_BUCKET);
    await rm(bucket, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
