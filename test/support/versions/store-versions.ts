/** Programs of several versions, each a process of its own, on the same shards. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RetentionRule } from '../../../src/metadata/index.ts';
import type { Version } from './next-version.ts';
import type { Order, ShardPlace, Told } from './store-program.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export class StoreProgram {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (told: Told) => void>();
  #last = 0;
  #said = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (told: Told) => this.#waiting.get(told.number)?.(told));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4_000);
    });
    child.once('exit', () => {
      for (const [number, answer] of this.#waiting) answer({ number, failure: this.#said });
    });
  }

  static async start(version: Version, places: readonly ShardPlace[]): Promise<StoreProgram> {
    const child = fork(fileOf('./store-program.ts'), [JSON.stringify(places)], {
      execArgv: ['--import', fileOf('./next-version.ts')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, HOLDFAST_TEST_VERSION: version },
    });
    const program = new StoreProgram(child);
    await program.#answer(0);
    return program;
  }

  /** @throws Error: the program could not, and why. */
  async #answer(number: number): Promise<RetentionRule | undefined> {
    const told = await new Promise<Told>((resolve) => {
      this.#waiting.set(number, resolve);
    });
    this.#waiting.delete(number);
    if (told.failure !== undefined) throw new Error(told.failure);
    return told.rule;
  }

  /** The rule that is there then. */
  async tell(order: Omit<Order, 'number'>): Promise<RetentionRule> {
    this.#last += 1;
    const number = this.#last;
    const answer = this.#answer(number);
    this.#child.send({ ...order, number });
    return await answer ?? {};
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** Tenants whose rules are set and read all the time, each by all programs that serve. */
export class RuleLoad {
  programs: readonly StoreProgram[];
  readonly #turns: number[];
  readonly #lanes: Promise<void>[];
  #isOver = false;
  #failure: Error | undefined;

  constructor(programs: readonly StoreProgram[], shardCount: number) {
    this.programs = programs;
    this.#turns = Array.from({ length: shardCount }, () => 0);
    this.#lanes = this.#turns.map((_, shard) => this.#work(shard).catch((error: unknown) => {
      this.#failure = error as Error;
    }));
  }

  async #work(shard: number): Promise<void> {
    const tenant = `busy-${shard}`;
    for (let turn = 1; !this.#isOver; turn += 1) {
      const { programs } = this;
      const rule = { keepAllDays: turn % 5, trashKeepDays: 1 + turn % 300 };
      await programs[turn % programs.length]?.tell({ shard, tenant, rule });
      for (const reader of programs) {
        const found = await reader.tell({ shard, tenant });
        if (JSON.stringify(found) !== JSON.stringify(rule)) {
          throw new Error(`turn ${turn} of shard ${shard}: ${JSON.stringify({ found, rule })}`);
        }
      }
      this.#turns[shard] = turn;
    }
  }

  /** What has not been seen of all lanes since `from`. @throws Error: what one has met. */
  hasGoneOn(from: readonly number[], turns: number): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#turns.every((turn, shard) => turn >= (from[shard] ?? 0) + turns);
  }

  get turns(): readonly number[] {
    return [...this.#turns];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
