/**
 * A Galera cluster of a test's own: three nodes on this machine, each with a data directory and
 * ports of its own, tuned as docs/galera.md says.
 *
 * The usual way, one node first and the others copying from it, takes 19 s. Here one data directory
 * is made and copied, and with it a note of a cluster that the three were in: so they all start at
 * once, find each other, see that nobody lacks anything, and are ready after 3 s.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../clock.ts';
import { Session } from '../session.ts';
import type { ServerAddress } from '../session.ts';
import { freePort, makeTemporary, pause, scratchRoot } from './scratch-server.ts';
import { program } from './server-program.ts';

const run = promisify(execFile);

const READY_MAX_MS = 120_000;
const QUERY_MAX_MS = 20_000;
const NODE_COUNT = 3;
const PROVIDER = '/usr/lib/galera/libgalera_smm.so';
/** Given by the package: state is transferred by a daemon that, started by the superuser, would not
 *  be let into the data. */
const SERVER_USER = 'mysql';
const IS_ROOT = process.getuid?.() === 0;

/** How soon a node that is silent is left behind. `tuned`: as docs/galera.md says. `patient`: no
 *  node is left behind because other work keeps the processors busy. */
const SILENCE = {
  tuned: 'evs.suspect_timeout=PT1S;evs.inactive_timeout=PT3S;evs.install_timeout=PT3S;',
  patient: 'evs.suspect_timeout=PT2S;evs.inactive_timeout=PT6S;evs.install_timeout=PT6S;',
};
const PERIODS = 'evs.keepalive_period=PT0.2S;evs.inactive_check_period=PT0.2S;'
  + 'evs.join_retrans_period=PT0.2S';

interface Ports {
  sql: number;
  group: number;
  increments: number;
  state: number;
}

async function freePorts(): Promise<Ports> {
  return {
    sql: await freePort(), group: await freePort(), increments: await freePort(),
    state: await freePort(),
  };
}

export class GaleraNode {
  readonly name: string;
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  constructor(name: string, folder: string, port: number) {
    this.name = name;
    this.port = port;
    this.#folder = folder;
  }

  get #settings(): string {
    return `--defaults-file=${this.#folder}/${this.name}.cnf`;
  }

  get data(): string {
    return join(this.#folder, this.name);
  }

  get log(): string {
    return readFileSync(join(this.#folder, `${this.name}.log`), 'utf8');
  }

  begin(...words: string[]): void {
    this.#process = spawn(program('mariadbd'), [this.#settings, ...words], { stdio: 'ignore' });
  }

  /** After a crash: asks the tables how far they are, so that the others only have to send what is
   *  missing. Without that they would send everything. */
  async beginAgain(): Promise<void> {
    const { clusterId, number } = await this.recover();
    this.begin(`--wsrep-start-position=${clusterId}:${number}`);
  }

  /** As `galera_new_cluster` does, after an operator has said in `grastate.dat` that it may: the
   *  others join what this one has. */
  async beginCluster(): Promise<void> {
    const path = join(this.data, 'grastate.dat');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/(?<=safe_to_bootstrap: )0/, '1'));
    const { clusterId, number } = await this.recover();
    this.begin('--wsrep-new-cluster', `--wsrep-start-position=${clusterId}:${number}`);
  }

  /** How far the tables of a node are that does not run: of which cluster, and its last change. */
  async recover(): Promise<{ clusterId: string; number: number }> {
    const log = join(this.#folder, `${this.name}.recover`);
    rmSync(log, { force: true }); // It would be added to, and the first position be an old one.
    await run(program('mariadbd'), [this.#settings, '--wsrep-recover', `--log-error=${log}`]);
    const [, clusterId, number] =
      /Recovered position: ([\w-]+):(\d+)/.exec(readFileSync(log, 'utf8')) ?? [];
    if (clusterId === undefined) throw new Error(`${this.name} does not know how far it is`);
    return { clusterId, number: Number(number) };
  }

  /** Resolves once the node has all data and takes part. */
  async whenSynced(): Promise<void> {
    const endsAt = systemClock.now() + READY_MAX_MS;
    while (!await this.#isSynced()) {
      const hasEnded = this.#process === undefined || this.#process.exitCode !== null
        || this.#process.signalCode !== null;
      if (hasEnded || systemClock.now() > endsAt) {
        const what = hasEnded ? 'has ended' : 'is not ready';
        throw new Error(`${this.name} ${what}: ${this.log.slice(-2_000)}`);
      }
      await pause();
    }
  }

  async #isSynced(): Promise<boolean> {
    try {
      await (await Session.open(this.address(), 'read')).end();
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  /** Of SHOW GLOBAL STATUS, which also a node tells that refuses to work. */
  async status(name: string): Promise<string> {
    const answer = await this.query(`SHOW GLOBAL STATUS LIKE '${name}'`);
    return answer.split('\t')[1] ?? '';
  }

  address(database = ''): ServerAddress {
    return { host: '127.0.0.1', port: this.port, user: 'root', password: '', database };
  }

  /** With the program that an operator uses, which also asks a node that refuses to work. */
  async query(sql: string): Promise<string> {
    const { stdout } = await run(program('mariadb'), ['--no-defaults', '-uroot', '-h127.0.0.1',
      `-P${this.port}`, '--protocol=tcp', '-Nse', sql], { timeout: QUERY_MAX_MS });
    return stdout.trim();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(name);
  }

  async kill(name: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(name);
    await exited;
  }
}

export class GaleraCluster {
  readonly folder: string;
  readonly nodes: readonly GaleraNode[];

  private constructor(folder: string, nodes: readonly GaleraNode[]) {
    this.folder = folder;
    this.nodes = nodes;
  }

  static async start(silence: keyof typeof SILENCE = 'patient'): Promise<GaleraCluster> {
    accessSync(PROVIDER); // Of the package galera-4.
    const folder = mkdtempSync(join(scratchRoot(), 'holdfast-galera-'));
    const ports: Ports[] = [];
    for (let made = 0; made < NODE_COUNT; made += 1) ports.push(await freePorts());
    const nodes = ports.map(({ sql }, at) => new GaleraNode(`node${at + 1}`, folder, sql));
    const cluster = new GaleraCluster(folder, nodes);
    try {
      for (const [at, { name }] of nodes.entries()) {
        const text = settingsOf({ folder, name, at, ports, silence });
        writeFileSync(join(folder, `${name}.cnf`), text);
      }
      await cluster.#makeData();
      for (const node of nodes) node.begin();
      for (const node of nodes) await node.whenSynced();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The data of all three, as if they had been a cluster before. */
  async #makeData(): Promise<void> {
    const [first, ...others] = this.nodes;
    if (first === undefined) return;
    chmodSync(this.folder, 0o755);
    await run(program('mariadb-install-db'), ['--no-defaults', `--datadir=${first.data}`,
      `--tmpdir=${makeTemporary(this.folder)}`, '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...IS_ROOT ? ['--user=root'] : []]);
    const cluster = randomUUID();
    const members = this.nodes.map(() => randomUUID());
    writeFileSync(join(first.data, 'grastate.dat'),
      `# GALERA saved state\nversion: 2.1\nuuid: ${cluster}\nseqno: 0\nsafe_to_bootstrap: 0\n`);
    for (const { data } of others) await run('cp', ['-r', first.data, data]);
    for (const [at, { data }] of this.nodes.entries()) {
      writeFileSync(join(data, 'gvwstate.dat'), [`my_uuid: ${members[at]}`, '#vwbeg',
        `view_id: 3 ${members[0]} 3`, 'bootstrap: 0', ...members.map((each) => `member: ${each} 0`),
        '#vwend', ''].join('\n'));
    }
    if (IS_ROOT) await run('chown', ['-R', SERVER_USER, this.folder]);
  }

  /** Resolves once every node has all data, takes part, and sees the others. */
  async whenWhole(): Promise<void> {
    for (const node of this.nodes) await node.whenSynced();
    const endsAt = systemClock.now() + READY_MAX_MS;
    for (;;) {
      const sizes = await Promise.all(this.nodes.map((node) => node.status('wsrep_cluster_size')));
      if (sizes.every((size) => Number(size) === this.nodes.length)) return;
      if (systemClock.now() > endsAt) throw new Error(`the nodes see ${sizes.join(', ')}`);
      await pause();
    }
  }

  /** Of a database on all nodes, by name. */
  addressOf(database = ''): ServerAddress {
    const [first, ...others] = this.nodes.map((node) => node.address(database));
    if (first === undefined) throw new Error('a cluster has nodes');
    return { ...first, others: others.map(({ host = '', port = 0 }) => ({ host, port })) };
  }

  /** A new and empty one; it is on all nodes a moment later. */
  async makeDatabase(name: string): Promise<ServerAddress> {
    await this.nodes[0]?.query(`CREATE DATABASE ${name}`);
    return this.addressOf(name);
  }

  /** Nothing of it is left. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface NodeSettings {
  folder: string;
  name: string;
  at: number;
  ports: readonly Ports[];
  silence: keyof typeof SILENCE;
}

function settingsOf({ folder, name, at, ports, silence }: NodeSettings): string {
  const { sql = 0, group = 0, increments = 0, state = 0 }: Partial<Ports> = ports[at] ?? {};
  const members = ports.map((each) => `127.0.0.1:${each.group}`).join(',');
  return `[mysqld]
${IS_ROOT ? `user=${SERVER_USER}` : ''}
datadir=${folder}/${name}
tmpdir=${makeTemporary(join(folder, `${name}.d`))}
socket=${folder}/${name}.sock
pid-file=${folder}/${name}.pid
log-error=${folder}/${name}.log
port=${sql}
bind-address=127.0.0.1
skip-name-resolve
binlog_format=ROW
innodb_autoinc_lock_mode=2
innodb_flush_log_at_trx_commit=1
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
performance_schema=OFF
max_connections=200
wsrep_on=ON
wsrep_provider=${PROVIDER}
wsrep_cluster_name=holdfast
wsrep_cluster_address=gcomm://${members}
wsrep_node_name=${name}
wsrep_node_address=127.0.0.1:${group}
wsrep_node_incoming_address=127.0.0.1:${sql}
wsrep_sst_method=rsync
wsrep_sst_receive_address=127.0.0.1:${state}
wsrep_provider_options="gmcast.listen_addr=tcp://127.0.0.1:${group};${''
}ist.recv_addr=127.0.0.1:${increments};gcache.size=64M;${SILENCE[silence]}${PERIODS}"
`;
}
