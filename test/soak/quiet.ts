/** The end of a soak: what was begun comes to its end, and then everything is looked at. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Findings } from './findings.ts';
import type { Lane } from './lane.ts';
import {
  leasesOfTheDead, lookAtDatabases, lookAtLanes, lookAtVersions,
} from './last-look.ts';
import type { SoakOperator } from './operator.ts';
import type { Racers } from './racers.ts';
import { short } from './settled.ts';
import { TENANTS } from './soak-world.ts';
import type { SoakWorld } from './soak-world.ts';

const WAIT_MS = 180_000;

interface Parts {
  readonly world: SoakWorld;
  readonly findings: Findings;
  readonly operator: SoakOperator;
  readonly lanes: readonly Lane[];
  readonly racers: Racers;
}

export async function quiet(parts: Parts): Promise<void> {
  const { world, findings, lanes, racers } = parts;
  await endMoves(parts);
  await endChanges(parts);
  await allMayWrite(parts);
  await lookAtLanes(parts, lanes);
  await lookAtVersions(parts, lanes);
  await racers.look();
  const slack = new Map(TENANTS.map((tenant) => [
    tenant, (racers.slack.get(tenant) ?? 0) + world.nodes.length]));
  await lookAtDatabases({ ...parts, slack });
  for (const tenant of ['default', ...TENANTS]) {
    await well(parts, 'verify', 'run', '--tenant', tenant);
  }
  await well(parts, 'shard', 'check');
  await well(parts, 'schema', 'drift');
  await until(parts, 'no lease is held by the dead', async () => (
    (await leasesOfTheDead(parts)).join(', ')));
  for (const node of world.nodes) {
    const { code } = await node.stop();
    if (code !== 0) findings.add(`a node ended with ${code}: ${node.tail(10)}`);
  }
  for (const tenant of TENANTS) await well(parts, 'gc', 'run', '--tenant', tenant);
  for (const at of world.nodes.keys()) await world.startNode(at);
  await lookAtLanes(parts, lanes);
}

async function well({ world, findings }: Parts, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await world.tell(0, ...words);
  findings.say(`${words.join(' ')}: ${code} ${short(stdout)}`);
  if (code !== 0) findings.add(`${words.join(' ')}: ${code} ${stdout} ${stderr}`.slice(0, 3_000));
}

/** `look` answers what is still in the way. */
async function until(
  { findings }: Parts, what: string, look: () => Promise<string>,
): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  let seen = await look();
  while (seen !== '' && performance.now() < endMs) {
    await pause(1_000);
    seen = await look();
  }
  if (seen !== '') findings.add(`waited ${WAIT_MS} ms in vain until ${what}: ${seen}`);
  else findings.say(what);
}

async function linesOf({ world }: Parts, ...words: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await world.tell(0, ...words);
  if (code !== 0) return [`${code} ${stderr}`];
  return stdout.trim().split('\n').filter((line) => line.includes('\t'));
}

async function endMoves(parts: Parts): Promise<void> {
  const { operator, findings } = parts;
  await until(parts, 'no shard is drained any more', async () => {
    const lines = await linesOf(parts, 'shard', 'drain', 'status');
    const left = lines.filter((line) => /\tdraining\t/.test(line));
    if (left.length > 0) {
      const moves = await linesOf(parts, 'tenant', 'move', 'status');
      findings.say(`${left.join(' | ')} | ${moves.join(' | ')}`);
      await operator.resume();
    }
    return left.join(' | ');
  });
  await until(parts, 'all moves have ended', async () => {
    const lines = await linesOf(parts, 'tenant', 'move', 'status');
    const left = lines.filter((line) => !/\t(done|aborted)\t/.test(line));
    for (const line of left) {
      if (!line.includes('\treverse\t')) continue;
      await operator.tell('tenant', 'move', 'finish', line.split('\t')[0] ?? '');
    }
    if (left.length > 0) {
      findings.say(left.join(' | '));
      await operator.resume();
    }
    return left.join(' | ');
  });
}

/** Changes of tables that were killed are made once more; each column is then in every shard, once,
 *  and is taken away, since the program does not know it. */
async function endChanges({ world, operator, findings }: Parts): Promise<void> {
  for (const [column, table] of operator.columns) {
    const said = await operator.changeTable(table, column);
    if (!said.includes('ended done []')) findings.add(`${column} of ${table} ends so: ${said}`);
    for (const shard of world.shards.keys()) {
      await world.ask(shard, `ALTER TABLE ${table} DROP COLUMN ${column}`).catch(
        (error: unknown) => findings.add(`${column} of shard ${shard}: ${String(error)}`));
    }
  }
}

async function allMayWrite(parts: Parts): Promise<void> {
  for (const tenant of TENANTS) {
    for (const at of parts.world.nodes.keys()) {
      await until(parts, `${tenant} may write at node ${at}`, async () => {
        const { status, text } = await parts.world.client(at, tenant).put(`last-${at}`, 'x');
        return status === 201 || status === 204 ? '' : `${status} ${short(text)}`;
      });
    }
  }
}
