/** What operators do meanwhile: move tenants, empty shards, change tables, verify all. */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RunningCommand } from '../support/command.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Findings } from './findings.ts';
import { short } from './settled.ts';
import { NODES, SHARDS, TENANTS } from './soak-world.ts';
import type { SoakWorld } from './soak-world.ts';

/** All are in every shard; rows of most are carried when tenants move. */
const TABLES = ['node', 'version', 'event', 'folder', 'space', 'retention', 'move_log', 'batch'];
const PROGRAM = fileURLToPath(new URL('./schema-program.ts', import.meta.url));
const SCHEMA_MS = 180_000;

interface Parts {
  readonly world: SoakWorld;
  readonly findings: Findings;
  readonly random: SeededRandom;
}

export class SoakOperator {
  readonly #parts: Parts;
  readonly #installation: string;
  /** That were begun, by name. */
  readonly columns = new Map<string, string>();

  constructor(parts: Parts, installation: string) {
    this.#parts = parts;
    this.#installation = installation;
  }

  async work(isOver: () => boolean): Promise<void> {
    const { random } = this.#parts;
    while (!isOver()) {
      await pause(random.between(300, 3_000));
      await this.#act();
    }
  }

  async #act(): Promise<void> {
    const { random } = this.#parts;
    const tenant = random.pick(TENANTS);
    const shard = random.pick(SHARDS);
    const at = random.next();
    if (at < 0.34) return this.tell('tenant', 'move', tenant, '--to', shard);
    if (at < 0.46) return this.tell('tenant', 'move', 'finish', tenant);
    if (at < 0.58) return this.tell('tenant', 'move', 'back', tenant);
    if (at < 0.62) return this.tell('tenant', 'move', 'abort', tenant);
    if (at < 0.72) return this.#drain(random.pick(SHARDS));
    if (at < 0.80) return this.#changeTables();
    if (at < 0.86) return this.#verify('--tenant', tenant);
    if (at < 0.88) return this.tell('gc', 'run');
    if (at < 0.94) return this.tell('shard', 'open', shard);
    return this.resume();
  }

  /** Moves are told to the server that makes them: another one says which that is. */
  async tell(...words: string[]): Promise<void> {
    const { world, random } = this.#parts;
    const said = await this.#tellOne(random.between(0, world.nodes.length - 1), words);
    const [, name] = /moved by the server "(\w+)"/.exec(said) ?? [];
    if (name !== undefined) await this.#tellOne(NODES.indexOf(name), words);
  }

  async #tellOne(at: number, words: string[]): Promise<string> {
    const { world, findings } = this.#parts;
    const { code, stdout, stderr } = await world.tell(at, ...words).catch((error: unknown) => {
      findings.count(`command unanswered: ${words.slice(0, 2).join(' ')}`);
      return { code: -1, stdout: '', stderr: String(error).slice(0, 200) };
    });
    const what = words.slice(0, 3).filter((word) => !TENANTS.includes(word as never)).join(' ');
    findings.count(`command ${what}: ${code}`);
    const text = short(code === 0 ? stdout : stderr);
    findings.say(`${words.join(' ')}: ${code} ${text.slice(0, 160)}`);
    return stderr;
  }

  async #drain(shard: string): Promise<void> {
    const { random } = this.#parts;
    await this.tell('shard', 'drain', shard, '--at-once', String(random.between(1, 3)));
    await pause(random.between(500, 20_000));
    if (random.next() < 0.5) await this.tell('shard', 'drain', 'stop', shard);
    await this.tell('shard', 'open', shard);
  }

  async #verify(...words: string[]): Promise<void> {
    const { world, findings, random } = this.#parts;
    const { code, stdout, stderr } = await world.tell(random.between(0, world.nodes.length - 1),
      'verify', 'run', ...words).catch((error: unknown) => (
      { code: -1, stdout: '', stderr: String(error) }));
    findings.count(`verify run: ${code}`);
    if (code !== 0) findings.say(`verify run: ${code} ${short(stdout)} ${short(stderr)}`);
  }

  async #changeTables(): Promise<void> {
    const { random } = this.#parts;
    const column = `soak_${this.columns.size}`;
    const table = random.pick(TABLES);
    this.columns.set(column, table);
    const killAfterMs = random.next() < 0.7 ? random.between(300, 2_500) : undefined;
    await this.changeTable(table, column, killAfterMs);
  }

  /** Answers what it printed. */
  async changeTable(table: string, column: string, killAfterMs?: number): Promise<string> {
    const { world, findings } = this.#parts;
    const told = {
      addresses: world.shards.map(({ address }) => address), installation: this.#installation,
      table, column,
    };
    const command = new RunningCommand(process.execPath, [PROGRAM, JSON.stringify(told)]);
    if (killAfterMs !== undefined) {
      await Promise.race([pause(killAfterMs), command.ended]);
      command.kill('SIGKILL');
    }
    const { stdout, stderr, signal } = await command.end(SCHEMA_MS);
    findings.count(`changes of tables, ${signal === undefined ? 'ended' : 'killed'}`);
    findings.say(`${column} of ${table}: ${signal ?? ''} ${short(stdout)} ${short(stderr)}`);
    return stdout;
  }

  /** Of moves and drains that wait for somebody. */
  async resume(): Promise<void> {
    const { world, findings } = this.#parts;
    const { code, stdout } = await world.tell(0, 'tenant', 'move', 'status')
      .catch(() => ({ code: -1, stdout: '' }));
    if (code !== 0) return;
    let tenant = '';
    for (const line of stdout.split('\n')) {
      if (line.includes('\t')) [tenant = ''] = line.split('\t');
      if (!line.includes('TROUBLE') || !/^ /.test(line)) continue;
      findings.count('moves that stood still with a reason');
      findings.say(`in trouble: ${tenant}${line}`);
      await this.tell('tenant', 'move', 'resume', tenant);
    }
  }
}
