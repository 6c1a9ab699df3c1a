/** One data directory that is killed again and again, with a few writers at work. */
import assert from 'node:assert/strict';
import { sleep } from '../support/deadline.ts';
import { SeededRandom } from '../support/random.ts';
import { TestServer } from '../support/server.ts';
import { CrashWriter } from './writer.ts';

const WRITERS = 4;
const FULL_CHECK_EVERY = 40;
/** How long an armed server may go on without reaching its failpoint. */
const ARMED_MS = 1_200;
/** Connections break a moment before the death of the process is known here. */
const REAPED_MS = 50;
const NAME = 'ada';
const PASSWORD = 'correct-horse-battery';

export class CrashLane {
  readonly #server: TestServer;
  readonly #random: SeededRandom;
  readonly #writers: readonly CrashWriter[];
  #cycles = 0;

  private constructor(
    server: TestServer, random: SeededRandom, writers: readonly CrashWriter[],
  ) {
    this.#server = server;
    this.#random = random;
    this.#writers = writers;
  }

  static async open(seed: number): Promise<CrashLane> {
    const server = await TestServer.start();
    const user = await server.addUser();
    const writers = Array.from({ length: WRITERS }, (_, n) => {
      return new CrashWriter(`w${n}`, user, new SeededRandom(seed + n));
    });
    return new CrashLane(server, new SeededRandom(seed), writers);
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
      if (!struckAtStart) {
        await server.addUser({ name: NAME, password: PASSWORD });
        const endMs = performance.now() + ARMED_MS;
        await writer.work(() => !server.isRunning || performance.now() > endMs);
        await sleep(REAPED_MS);
      }
      const struck = !server.isRunning;
      if (!struck) await server.kill();
      await server.command.end(5_000);
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
    let over = false;
    const work = Promise.all(this.#writers.map((writer) => writer.work(() => over)));
    const moment = sleep(this.#random.between(30, 300)).then(() => this.#server.kill());
    await Promise.all([moment, work.finally(() => {
      over = true;
    })]);
    await this.#recover();
  }

  /**
   * Restarts with an armed failpoint and works until it strikes. Answers whether it did; when not,
   * the server is killed at that moment, so that the cycle counts as one at random.
   */
  async killAtFailpoint(failpoint: string): Promise<boolean> {
    await this.#server.stop();
    const struckAtStart = await startArmed(this.#server, failpoint);
    let struck = struckAtStart;
    if (!struckAtStart) {
      const endMs = performance.now() + ARMED_MS;
      const isOver = (): boolean => !this.#server.isRunning || performance.now() > endMs;
      await Promise.all(this.#writers.map((writer) => writer.work(isOver)));
      await sleep(REAPED_MS);
      struck = !this.#server.isRunning;
      if (!struck) await this.#server.kill();
    }
    const { signal } = await this.#server.command.end(5_000);
    assert.equal(signal, 'SIGKILL', `it ended otherwise than by being killed\n${this.tail()}`);
    await this.#recover();
    return struck;
  }

  async finish(): Promise<void> {
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
    this.#cycles += 1;
    const isFull = this.#cycles % FULL_CHECK_EVERY === 0;
    await Promise.all(this.#writers.map((writer) => {
      return isFull ? writer.checkAll() : writer.checkRecent();
    }));
  }
}

/** Answers whether the failpoint struck before the server was up. */
async function startArmed(server: TestServer, failpoint: string): Promise<boolean> {
  try {
    await server.startAgain({ env: { HOLDFAST_FAILPOINT: failpoint } });
    return false;
  } catch (error) {
    if (server.isRunning) throw error;
    return true;
  }
}
