/**
 * Ceph's object gateway for tests: the strictest free server of the S3 protocol that Debian has. It
 * checks signatures and the SHA-256 of bodies. One monitor, one storage daemon that keeps all in
 * memory, one gateway, all on loopback, in a folder of their own; about a second to start.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import aws4 from 'aws4';
import { systemClock, systemRandom } from '../../../../platform/index.ts';

export const CEPH_KEY = { accessKeyId: 'HOLDFASTTEST', secretAccessKey: 'a secret for tests only' };
export const CEPH_BUCKET = 'holdfast-test';

const PROGRAMS = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];
const PORT_FIRST = 20_000;
const PORT_COUNT = 12_000;
const PORT_TRIES_MAX = 50;
const STEP_TIMEOUT_MS = 60_000;
const STARTS_MAX = 20;
const POLLS_MAX = 900;
const POLL_MS = 100;
const run = promisify(execFile);

/** Why there is no Ceph here; undefined when there is. */
export function cephMissing(): string | undefined {
  const absent = PROGRAMS.filter((program) => !existsSync(`/usr/bin/${program}`));
  return absent.length === 0 ? undefined : `not installed: ${absent.join(', ')}`;
}

export class Ceph {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  #port = 0;
  #stopping = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Ceph> {
    const ceph = new Ceph(await mkdtemp(join(tmpdir(), 'holdfast-ceph-')));
    try {
      await ceph.#start();
      return ceph;
    } catch (error) {
      await ceph.stop();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const monitor = `127.0.0.1:${await freePort()}`;
    this.#port = await freePort();
    const cluster = randomUUID();
    const disk = randomUUID();
    await mkdir(join(this.#folder, 'mon'));
    await mkdir(join(this.#folder, 'osd'));
    await writeFile(join(this.#folder, 'ceph.conf'), this.#config(cluster, monitor));
    const map = join(this.#folder, 'monmap');
    await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', `[v1:${monitor}]`, map]);
    await this.#run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map);
    this.#spawn('ceph-mon', '-f', '-i', 'a');
    await this.#run('ceph', 'osd', 'new', disk);
    await this.#run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk);
    this.#spawn('ceph-osd', '-f', '-i', '0');
    const { accessKeyId, secretAccessKey } = CEPH_KEY;
    await this.#run(
      'radosgw-admin', 'user', 'create', '--uid=test', '--display-name=test',
      `--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`,
    );
    this.#spawn('radosgw', '-f', '-n', 'client.rgw');
    for (let count = 0; !(await this.#answers()); count++) {
      if (count > POLLS_MAX) throw new Error('The gateway did not start.');
      await new Promise<void>((resolve) => systemClock.after(POLL_MS, resolve));
    }
    const made = await this.#request('PUT', `/${CEPH_BUCKET}`);
    if (!made.ok) throw new Error(`The bucket was not made: ${made.status}.`);
  }

  async #answers(): Promise<boolean> {
    const asked = this.#request('GET', '/').then(({ ok }) => ok);
    return asked.catch((error: unknown) => {
      if (error instanceof TypeError) return false; // Refused: it does not listen yet.
      throw error;
    });
  }

  #request(method: string, path: string): Promise<Response> {
    const host = `127.0.0.1:${this.#port}`;
    const signed = aws4.sign({ service: 's3', method, path, headers: { host } }, CEPH_KEY);
    const headers = signed.headers as Record<string, string>;
    return fetch(`${this.url}${path}`, { method, headers });
  }

  async #run(program: string, ...args: string[]): Promise<void> {
    const options = { timeout: STEP_TIMEOUT_MS };
    await run(program, ['-c', join(this.#folder, 'ceph.conf'), ...args], options);
  }

  /** Starts a daemon, and again if it ends by itself: now and then the storage daemon asks the new
   *  monitor too early, is told that it is in the wrong cluster, and gives up. */
  #spawn(program: string, ...args: string[]): void {
    const all = ['-c', join(this.#folder, 'ceph.conf'), ...args];
    const slot = this.#children.length;
    const start = (startsLeft: number): void => {
      const child = spawn(program, all, { stdio: 'ignore' });
      this.#children[slot] = child;
      child.once('exit', () => {
        if (!this.#stopping && startsLeft > 0) start(startsLeft - 1);
      });
    };
    start(STARTS_MAX);
  }

  #config(cluster: string, monitor: string): string {
    const { isolated, tiny } = SETTINGS;
    return [
      '[global]', `fsid = ${cluster}`, `mon host = v1:${monitor}`, ...isolated, ...tiny,
      `run dir = ${this.#folder}`, `log file = ${this.#folder}/$name.log`,
      `admin socket = ${this.#folder}/$name.asok`, `pid file = ${this.#folder}/$name.pid`,
      `mon data = ${this.#folder}/mon`, `osd data = ${this.#folder}/osd`,
      `rgw data = ${this.#folder}/rgw`,
      `rgw frontends = beast endpoint=127.0.0.1:${this.#port} tcp_nodelay=1`, '',
    ].join('\n');
  }
}

const SETTINGS = {
  isolated: [
    'auth cluster required = none', 'auth service required = none', 'auth client required = none',
    'public addr = 127.0.0.1', 'ms bind msgr2 = false',
  ],
  tiny: [
    'osd pool default size = 1', 'osd pool default min size = 1', 'osd pool default pg num = 1',
    'osd pool default pgp num = 1', 'osd pool default pg autoscale mode = off',
    'mon allow pool size one = true', 'mon max pg per osd = 1000', 'mon data avail crit = 1',
    'mon data avail warn = 2', 'osd crush chooseleaf type = 0', 'osd objectstore = memstore',
    'memstore device bytes = 1G', 'rgw thread pool size = 64', 'paxos propose interval = 0.02',
    'paxos min wait = 0.01', 'osd class update on start = false',
  ],
};

/** Not one of those that the system gives to outgoing connections: it would be taken again before
 *  the daemon listens. */
async function freePort(): Promise<number> {
  for (let count = 0; count < PORT_TRIES_MAX; count++) {
    const port = PORT_FIRST + systemRandom.below(PORT_COUNT);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // Somebody has it.
    }
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('No port is free.');
}
