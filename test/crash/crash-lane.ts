/** One data directory that is killed again and again, with a few writers at work. */
import assert from 'node:assert/strict';
import { sleep } from '../support/deadline.ts';
import type { DavClient } from '../support/dav-client.ts';
import { SeededRandom } from '../support/random.ts';
import { TestServer } from '../support/server.ts';
import type { ServerOptions } from '../support/server.ts';
import { CrashWriter } from './writer.ts';

const WRITERS = 4;
const FULL_CHECK_EVERY = 40;
/** How long an armed server may go on without reaching its failpoint. */
const ARMED_MS = 1_200;
/** The same for a failpoint that nothing has reached yet. */
const ARMED_MS_MAX = 60_000;
const END_MS = 60_000;
const NAME = 'ada';
const PASSWORD = 'correct-horse-battery';

export class CrashLane {
  readonly #server: TestServer;
  readonly #user: DavClient;
  readonly #random: SeededRandom;
  readonly #writers: readonly CrashWriter[];
  #cycles = 0;

  private constructor(server: TestServer, user: DavClient, seed: number) {
    this.#server = server;
    this.#user = user;
    this.#random = new SeededRandom(seed);
    this.#writers = Array.from({ length: WRITERS }, (_, n) => {
      return new CrashWriter(`w${n}`, user, new SeededRandom(seed + n));
    });
  }

  static async open(seed: number, options: ServerOptions = {}): Promise<CrashLane> {
    const server = await TestServer.start(options);
    const user = await server.addUser();
    // Compiled code is kept by programs that end in good order: without it each of those that are
    // killed here would compile all anew.
    await server.restart();
    return new CrashLane(server, user, seed);
  }

  /**
   * For places that only a first start comes to: arms the server on new data, works until the
   * failpoint strikes, and checks what is there after a start without it. Answers whether it did.
   */
  static async killOnNewData(failpoint: string, seed: number): Promise<boolean> {
    const server = TestServer.prepare();
    const writer = new CrashWriter('w', server.client(NAME, PASSWORD), new SeededRandom(seed));
    try {
      const struckAtStart = await startArmed(server, failpoint);
      if (!struckAtStart) await server.addUser({ name: NAME, password: PASSWORD });
      const struck = struckAtStart || await workUntilStruck(server, [writer], ARMED_MS_MAX);
      await server.startAgain();
      if (struckAtStart) await server.addUser({ name: NAME, password: PASSWORD });
      await writer.checkAll();
      const endMs = performance.now() + 200;
      await writer.work(() => performance.now() > endMs);
      await writer.checkAll();
      return struck;
    } finally {
      if (server.isRunning) await server.kill();
    }
  }

  get cycles(): number {
    return this.#cycles;
  }

  get acknowledgedCount(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.acknowledgedCount, 0);
  }

  /** The end of the log, for a person who looks for a fault. */
  tail(): string {
    return this.#server.tail();
  }

  /** Kills at a random moment of the load. The server must be running. */
  async killAtRandom(): Promise<void> {
    // The first answer takes long, for the password and for code that runs for the first time. On a
    // busy machine kills would strike nothing but that: so half of them begin behind it.
    if (this.#random.next() < 0.5) await this.#user.list('');
    let over = false;
    const work = Promise.all(this.#writers.map((writer) => writer.work(() => over)));
    const moment = sleep(this.#random.between(30, 300)).then(() => this.#server.kill());
    await Promise.all([moment, work.finally(() => {
      over = true;
    })]);
    await this.#recover();
  }

  /**
   * Starts armed on what the death before has left, checks it, and works until the failpoint
   * strikes. Answers whether it did; when not, the server was stopped in good order.
   */
  async killAtFailpoint(failpoint: string): Promise<boolean> {
    if (this.#server.isRunning) await this.#server.stop();
    if (await startArmed(this.#server, failpoint)) return true;
    if (!await this.#isCheckedAlive()) return true;
    return workUntilStruck(this.#server, this.#writers, ARMED_MS);
  }

  async finish(): Promise<void> {
    if (!this.#server.isRunning) await this.#server.startAgain();
    for (const writer of this.#writers) await writer.checkAll();
    await this.#server.restart();
    for (const writer of this.#writers) await writer.checkAll();
    const { code } = await this.#server.stop();
    assert.equal(code, 0);
  }

  async close(): Promise<void> {
    if (this.#server.isRunning) await this.#server.kill();
  }

  async #recover(): Promise<void> {
    await this.#server.startAgain();
    const [failure] = await this.#check();
    if (failure !== undefined) throw failure;
  }

  /** Answers false when the armed server died meanwhile: then the next start is followed by the
   *  whole check. What is lost or half counts, whoever lives. */
  async #isCheckedAlive(): Promise<boolean> {
    const failures = await this.#check();
    const lost = failures.find((failure) => failure instanceof assert.AssertionError);
    if (lost !== undefined) throw lost;
    if (failures.length === 0) return true;
    await endKilled(this.#server);
    return false;
  }

  /** Answers what went wrong, once no writer is at work any more. */
  async #check(): Promise<Error[]> {
    this.#cycles += 1;
    const isFull = this.#cycles % FULL_CHECK_EVERY === 0;
    const results = await Promise.allSettled(this.#writers.map((writer) => {
      return isFull ? writer.checkAll() : writer.checkRecent();
    }));
    return results.flatMap((result) => {
      return result.status === 'rejected' ? [result.reason as Error] : [];
    });
  }
}

/** Answers whether the failpoint struck; else the server was stopped, and had time to. */
async function workUntilStruck(
  server: TestServer, writers: readonly CrashWriter[], timeoutMs: number,
): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  const isOver = (): boolean => !server.isRunning || performance.now() > endMs;
  await Promise.all(writers.map((writer) => writer.work(isOver)));
  // Connections break a moment before the death of the process is known here.
  const isGone = !server.isRunning || performance.now() < endMs;
  const { code, signal } = await (isGone ? server.command.end(END_MS) : server.stop());
  if (signal === 'SIGKILL') return true;
  assert.equal(code, 0, `it ended otherwise than by being killed\n${server.tail()}`);
  return false;
}

/** Waits for the ends of all, so that no server outlives the test; then fails as the first did. */
export async function allLanes(runs: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(runs);
  await Promise.all(runs);
}

/** Answers whether the failpoint struck before the server was up. */
async function startArmed(server: TestServer, failpoint: string): Promise<boolean> {
  try {
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: failpoint } });
    return false;
  } catch (error) {
    if (server.isRunning) throw error;
    await endKilled(server);
    return true;
  }
}

async function endKilled(server: TestServer): Promise<void> {
  const { signal } = await server.command.end(END_MS);
  assert.equal(signal, 'SIGKILL', `it ended otherwise than by being killed\n${server.tail()}`);
}
