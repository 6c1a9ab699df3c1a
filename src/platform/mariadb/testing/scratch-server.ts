/**
 * A MariaDB server of a test's own: a data directory that is made for it and goes with it, a socket
 * of its own and a free port. In memory, where the machine has a file system for that: its flushes
 * are asked for and answered as on a disk, but cost nothing.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../clock.ts';
import { Session } from '../session.ts';
import type { ServerAddress } from '../session.ts';

const run = promisify(execFile);

const START_MAX_MS = 60_000;
const LOOK_AGAIN_MS = 50;
const MEMORY_FOLDER = '/dev/shm';

export function scratchRoot(): string {
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK);
    return MEMORY_FOLDER;
  } catch (error) {
    if (error instanceof Error) return tmpdir();
    throw error;
  }
}

export function program(name: string): string {
  for (const folder of ['/usr/sbin', '/usr/bin', '/usr/libexec', '/usr/local/bin']) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  throw new Error(`Missing: ${name}. Install it with: apt-get install mariadb-server`);
}

/** Below those that systems give to whoever connects: a server that is down for a moment, or
 *  listens now and then only, finds its own free again. Above those of the tests of the whole. */
const PORT_FIRST = 21_000;
const BLOCK_COUNT = 400;
const PORTS_PER_BLOCK = 25;
let portsGiven = 0;

/** One on 127.0.0.1 that nobody listens on, of a block that is as good as this process's own. */
export async function freePort(): Promise<number> {
  const blockAt = PORT_FIRST + (process.pid % BLOCK_COUNT) * PORTS_PER_BLOCK;
  for (let tries = 0; tries < PORTS_PER_BLOCK; tries += 1) {
    const port = blockAt + portsGiven % PORTS_PER_BLOCK;
    portsGiven += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free from ${blockAt} on`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

export function pause(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(LOOK_AGAIN_MS, resolve);
  });
}

/** A folder of its own for temporary tables. A server that starts removes whatever is left of them
 *  in its folder, and the tables of others that share it are removed under their hands: statements
 *  of theirs fail. */
export function makeTemporary(folder: string): string {
  const path = join(folder, 'temporary');
  mkdirSync(path, { recursive: true });
  return path;
}

/** The superuser has to say so; anybody else runs it as what he is. */
const AS_ROOT = process.getuid?.() === 0 ? ['--user=root'] : [];

export class ScratchServer {
  readonly folder: string;
  readonly port: number;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** `settings` as on the server's command line, such as `--sync-binlog=0`. */
  static start(...settings: string[]): Promise<ScratchServer> {
    return ScratchServer.startIn(scratchRoot(), ...settings);
  }

  /** On the disk of that folder. */
  static async startIn(parent: string, ...settings: string[]): Promise<ScratchServer> {
    const folder = mkdtempSync(join(parent, 'holdfast-mariadb-'));
    const server = new ScratchServer(folder, await freePort(), settings);
    try {
      await run(program('mariadb-install-db'), ['--no-defaults', `--datadir=${server.#data}`,
        `--tmpdir=${makeTemporary(folder)}`, '--auth-root-authentication-method=normal',
        '--skip-test-db', ...AS_ROOT]);
      await server.startAgain();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get #socket(): string {
    return join(this.folder, 'server.sock');
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Of a database, by name; without one, of the server itself. */
  addressOf(database = '', port = this.port): ServerAddress {
    return { host: '127.0.0.1', port, user: 'root', password: '', database };
  }

  /** After `kill`. Resolves once the server takes connections. */
  async startAgain(): Promise<void> {
    const child = spawn(program('mariadbd'), ['--no-defaults', ...AS_ROOT,
      `--datadir=${this.#data}`, `--socket=${this.#socket}`, `--port=${this.port}`,
      `--tmpdir=${makeTemporary(this.folder)}`,
      '--bind-address=127.0.0.1', '--innodb-buffer-pool-size=64M', '--innodb-log-file-size=32M',
      '--performance-schema=OFF', '--skip-name-resolve', '--max-connections=200',
      ...this.#settings], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    const endsAt = systemClock.now() + START_MAX_MS;
    while (!await this.#answers()) {
      if (child.exitCode !== null) throw new Error(`mariadbd has ended: ${said}`);
      if (systemClock.now() > endsAt) throw new Error(`mariadbd does not answer: ${said}`);
      await pause();
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const session = await Session.open(this.addressOf(), 'read');
      await session.end();
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  async query(sql: string, database = ''): Promise<unknown[][]> {
    const session = await Session.open(this.addressOf(database), 'schema');
    try {
      const { rows } = await session.run(sql);
      await session.run('COMMIT');
      return rows;
    } finally {
      await session.end();
    }
  }

  /** A new and empty one. */
  async makeDatabase(): Promise<ServerAddress> {
    this.#databases += 1;
    const name = `metadata${this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.addressOf(name);
  }

  /** SIGSTOP: its connections stay open and say nothing. `goOn` ends that. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends the server at once, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Nothing of it is left. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
