/**
 * A MariaDB server of a test's own, or a MySQL one if the test file was given that: a data
 * directory that is made for it and goes with it, a socket of its own and a free port. In memory,
 * where the machine has a file system for that: its flushes are asked for and answered as on a
 * disk, but cost nothing.
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
import { serverFault } from '../faults.ts';
import { Session } from '../session.ts';
import type { ServerAddress } from '../session.ts';
import { chosenProgram } from './server-program.ts';
import type { ServerPlace, ServerProgram } from './server-program.ts';

const run = promisify(execFile);

const START_MAX_MS = 60_000;
const INSTALL_MAX_MS = 120_000;
/** Of one statement of a test's own, the connection included. */
const QUERY_MAX_MS = 120_000;
/** A process that was killed is gone, unless the machine is not well. */
const KILL_MAX_MS = 30_000;
const LOOK_AGAIN_MS = 50;
const NO_SUCH_THREAD = 1094;
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

/** Rejects with what was waited for. */
export async function inTime<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.after(limitMs, () => late.reject(
    new Error(`Waited ${limitMs} ms in vain for ${what}.`)));
  return Promise.race([work, late.promise]).finally(cancel);
}

/** A folder of its own for temporary tables. A server that starts removes whatever is left of them
 *  in its folder, and the tables of others that share it are removed under their hands: statements
 *  of theirs fail. */
export function makeTemporary(folder: string): string {
  const path = join(folder, 'temporary');
  mkdirSync(path, { recursive: true });
  return path;
}

export class ScratchServer {
  readonly folder: string;
  readonly port: number;
  readonly #program: ServerProgram;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#program = chosenProgram();
    this.#settings = settings;
  }

  /** `settings` as on the server's command line, such as `--sync-binlog=0`. */
  static start(...settings: string[]): Promise<ScratchServer> {
    return ScratchServer.startIn(scratchRoot(), ...settings);
  }

  /** On the disk of that folder. */
  static async startIn(parent: string, ...settings: string[]): Promise<ScratchServer> {
    return ScratchServer.#startOn(await freePort(), parent, settings);
  }

  /** In the place of another server, which has ended. */
  static startAt(port: number): Promise<ScratchServer> {
    return ScratchServer.#startOn(port, scratchRoot(), []);
  }

  static async #startOn(
    port: number, parent: string, settings: readonly string[],
  ): Promise<ScratchServer> {
    const folder = mkdtempSync(join(parent, 'holdfast-mariadb-'));
    const server = new ScratchServer(folder, port, settings);
    try {
      const [program = '', ...words] = server.#program.toMake(server.#place());
      await run(program, words, { timeout: INSTALL_MAX_MS, killSignal: 'SIGKILL' });
      await server.startAgain();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Whether it is MySQL, which lacks some of what MariaDB has. */
  get isMysql(): boolean {
    return this.#program.name === 'mysqld';
  }

  #place(): ServerPlace {
    return { data: join(this.folder, 'data'), temporary: makeTemporary(this.folder) };
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
    const [program = '', ...words] = this.#program.toServe(this.#place());
    const child = spawn(program, [...words, `--socket=${this.#socket}`, `--port=${this.port}`,
      '--bind-address=127.0.0.1', '--innodb-buffer-pool-size=64M', '--performance-schema=OFF',
      '--skip-name-resolve', '--max-connections=200', ...this.#settings], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    const endsAt = systemClock.now() + START_MAX_MS;
    while (!await inTime(START_MAX_MS, 'the server to take a connection', this.#answers())) {
      const { name } = this.#program;
      if (child.exitCode !== null) throw new Error(`${name} has ended: ${said}`);
      if (systemClock.now() > endsAt) throw new Error(`${name} does not answer: ${said}`);
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

  query(sql: string, database = ''): Promise<unknown[][]> {
    return inTime(QUERY_MAX_MS, `the server to answer: ${sql}`, this.#query(sql, database));
  }

  async #query(sql: string, database: string): Promise<unknown[][]> {
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

  /** Ends all connections to one of its databases, as a server does that starts anew. */
  async endConnections(database: string): Promise<void> {
    const rows = await this.query(
      `SELECT id FROM information_schema.processlist WHERE db = '${database}'`);
    for (const [id] of rows) {
      await this.query(`KILL ${String(id)}`).catch((error: unknown) => {
        if (serverFault(error)?.errno !== NO_SUCH_THREAD) throw error; // It has ended meanwhile.
      });
    }
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
    await inTime(KILL_MAX_MS, 'the server to be gone', exited);
  }

  /** Nothing of it is left. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
