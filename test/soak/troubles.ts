/** What goes wrong with processes: nodes and databases die and come back, nodes stand still. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../support/random.ts';
import type { Findings } from './findings.ts';
import type { SoakWorld } from './soak-world.ts';

/** Longer than any lease, and than a node may be silent. */
const STILL_MS_MAX = 70_000;

interface Parts {
  readonly world: SoakWorld;
  readonly findings: Findings;
  readonly random: SeededRandom;
  readonly isOver: () => boolean;
}

/** Waits, but not much longer than it goes on. */
async function rest(ms: number, isOver: () => boolean): Promise<void> {
  const endMs = performance.now() + ms;
  while (!isOver() && performance.now() < endMs) await pause(100);
}

export async function troubleNodes({ world, findings, random, isOver }: Parts): Promise<void> {
  for (;;) {
    await rest(random.between(2_000, 12_000), isOver);
    if (isOver()) return;
    const at = random.between(0, world.nodes.length - 1);
    if (random.next() < 0.5) {
      findings.count('kills of a node');
      findings.say(`node ${at} is killed`);
      await world.node(at).kill();
      await rest(random.between(0, 6_000), isOver);
      await world.startNode(at);
      findings.say(`node ${at} serves again`);
    } else {
      const isLong = random.next() < 0.3;
      const ms = random.between(1_000, isLong ? STILL_MS_MAX : 12_000);
      findings.count(ms > 15_000 ? 'stops of a node, longer than leases' : 'stops of a node');
      findings.say(`node ${at} stands still for ${ms} ms`);
      world.node(at).command.kill('SIGSTOP');
      try {
        await rest(ms, isOver);
      } finally {
        world.node(at).command.kill('SIGCONT');
      }
      findings.say(`node ${at} goes on`);
    }
  }
}

export async function troubleDatabases({ world, findings, random, isOver }: Parts): Promise<void> {
  for (;;) {
    await rest(random.between(8_000, 35_000), isOver);
    if (isOver()) return;
    const at = random.between(0, world.databases.length - 1);
    const database = world.databases[at];
    if (database === undefined) return;
    findings.count('kills of a database server');
    findings.say(`database server ${at} is killed`);
    await database.kill();
    await rest(random.between(0, 4_000), isOver);
    await database.startAgain();
    findings.say(`database server ${at} is back`);
  }
}
