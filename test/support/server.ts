/**
 * The real program, started as a user starts it: its own process, its own data, a port of its own.
 * Nothing here knows how it works inside.
 */
import { afterEach, after } from 'node:test';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { within } from './deadline.ts';
import { RunningCommand, run } from './command.ts';
import type { Outcome } from './command.ts';
import { DavClient } from './dav-client.ts';
import { ownPort } from './ports.ts';
import { scratchFolder } from './scratch.ts';

export const REPOSITORY = join(import.meta.dirname, '..', '..');
/** As a user calls it, from any folder. */
export const PROGRAM = join(REPOSITORY, 'holdfast');
export const START_TIMEOUT_MS = 90_000;
/** Whatever it listens on, the tests reach it by 127.0.0.1. */
const READY = /serves on (https?):\/\/(?:[\w.]+|\[[^\]]+\]):(\d+)/;

export interface ServerOptions {
  /** Made new when left out. */
  readonly data?: string;
  /** More arguments for `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly listen?: string;
}

export interface UserOptions {
  readonly name?: string;
  readonly password?: string;
  readonly args?: readonly string[];
}

export class TestServer {
  readonly data: string;
  readonly #options: ServerOptions;
  #command: RunningCommand | undefined;
  #port = 0;
  #scheme = 'http';
  #pid: number | undefined;
  readonly #earlier: string[] = [];

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.data = options.data ?? scratchFolder('data');
  }

  /** Not yet started: for a first start that is not meant to succeed. */
  static prepare(options: ServerOptions = {}): TestServer {
    return new TestServer(options);
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = TestServer.prepare(options);
    await server.startAgain();
    return server;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get command(): RunningCommand {
    if (this.#command === undefined) throw new Error('The server has not been started.');
    return this.#command;
  }

  /** Everything it has printed since it was first started. */
  get log(): string {
    const { stdout, stderr } = this.command;
    return [...this.#earlier, stdout, stderr].join('\n');
  }

  /** Starts it, again on the same data and the same port. */
  async startAgain(extra: Pick<ServerOptions, 'args' | 'env'> = {}): Promise<void> {
    if (this.#command !== undefined) {
      this.#earlier.push(this.#command.stdout, this.#command.stderr);
      if (this.#earlier.length > 20) this.#earlier.splice(0, this.#earlier.length - 20);
    }
    if (this.#port === 0) this.#port = await ownPort();
    const listen = this.#options.listen ?? `127.0.0.1:${this.#port}`;
    const args = ['serve', '--data', this.data, '--listen', listen];
    args.push(...(this.#options.args ?? []), ...(extra.args ?? []));
    const env = { HOME: this.data, ...this.#options.env, ...extra.env };
    this.#pid = undefined;
    this.#command = new RunningCommand(PROGRAM, args, { env });
    const [, scheme, port] = await this.#command.printed(READY, START_TIMEOUT_MS);
    this.#scheme = scheme ?? 'http';
    this.#port = Number(port);
  }

  /** SIGTERM, as service managers do it. Returns how it ended. */
  async stop(timeoutMs = 90_000): Promise<Outcome> {
    this.terminate();
    return this.command.end(timeoutMs);
  }

  terminate(): void {
    process.kill(this.command.pid, 'SIGTERM');
  }

  /** SIGKILL: no chance to tidy up. */
  async kill(): Promise<void> {
    this.command.kill('SIGKILL');
    await this.command.end(60_000);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.startAgain();
  }

  get isRunning(): boolean {
    const { child } = this.command;
    return child.exitCode === null && child.signalCode === null;
  }

  async addUser(options: UserOptions = {}): Promise<DavClient> {
    const name = options.name ?? 'ada';
    const password = options.password ?? 'correct-horse-battery';
    const args = ['user', 'add', name, '--password-stdin', '--data', this.data];
    const outcome = await run(PROGRAM, [...args, ...(options.args ?? [])], {
      input: `${password}\n`, timeoutMs: 60_000,
      ...(this.#options.env !== undefined && { env: this.#options.env }),
    });
    if (outcome.code !== 0) {
      throw new Error(`user add ended with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
    }
    return this.client(name, password);
  }

  client(name: string, password: string): DavClient {
    return new DavClient(() => this.url, { name, password });
  }

  /** Resident memory of the process that serves, in bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.servingPid()}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * 1024;
  }

  /** The process that holds the data: the command itself, or what its launcher started. */
  servingPid(): number {
    this.#pid ??= lastDescendant(this.command.pid);
    return this.#pid;
  }

  tail(lines = 60): string {
    return this.command.tail(lines);
  }
}

function lastDescendant(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const [first] = children === '' ? [] : children.split(' ');
  return first === undefined ? pid : lastDescendant(Number(first));
}

/**
 * One server for the tests of the surrounding `describe`, stopped behind them. A failed test is
 * followed by the end of the server's log.
 */
export function serverForTests(): { start(options?: ServerOptions): Promise<TestServer> } {
  const started: TestServer[] = [];
  afterEach((test) => {
    if ('passed' in test && test.passed === false) {
      for (const server of started) process.stderr.write(`${server.tail()}\n`);
    }
  });
  after(async () => {
    for (const server of started) {
      if (!server.isRunning) continue;
      server.command.kill('SIGTERM');
      await within(60_000, 'Stopping the server', server.command.ended).catch(async () => {
        await server.kill();
      });
    }
  });
  return {
    async start(options = {}) {
      const server = await TestServer.start(options);
      started.push(server);
      return server;
    },
  };
}
