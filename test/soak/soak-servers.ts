/**
 * `npm run proof:soak -- [SECONDS] [SEED] [NODES]`: several web nodes on two MariaDB servers and a
 * bucket, while all that can go wrong does, and all that operators do is done, at random. Clients
 * change files meanwhile and remember what was acknowledged: nothing of it may be lost, doubled or
 * answered from before. The seed decides what is done, not how the processes are scheduled.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../support/random.ts';
import { DavLane } from './dav-lane.ts';
import { Findings } from './findings.ts';
import { KeyedLane } from './keyed-lane.ts';
import type { Lane } from './lane.ts';
import { SoakOperator } from './operator.ts';
import { quiet } from './quiet.ts';
import { Racers } from './racers.ts';
import { Settler } from './settled.ts';
import { SoakWorld, TENANTS } from './soak-world.ts';
import { troubleDatabases, troubleNodes } from './troubles.ts';

const [seconds = 240, seed = Math.trunc(performance.timeOrigin) % 1_000_000, nodes = 2] =
  process.argv.slice(2).map(Number);

const findings = new Findings();
findings.say(`${seconds} seconds, seed ${seed}, ${nodes} nodes`);
const world = await SoakWorld.start(nodes);
try {
  const randomOf = (number: number) => new SeededRandom(seed * 1_000 + number);
  const settlerOf = (tenant: string, number: number) => new Settler(tenant, {
    world, findings, random: randomOf(number),
  });
  const lanes: Lane[] = TENANTS.flatMap((tenant, number) => [
    new DavLane('dav', settlerOf(tenant, 10 + number)),
    new KeyedLane('keyed', settlerOf(tenant, 20 + number)),
  ]);
  for (const lane of lanes) await lane.begin();
  const racers = new Racers(TENANTS.map((tenant, number) => settlerOf(tenant, 30 + number)));
  const [[installation] = []] = await world.ask(0, 'SELECT installation FROM installation');
  const operator = new SoakOperator({ world, findings, random: randomOf(1) }, String(installation));

  const endMs = performance.now() + seconds * 1_000;
  const isOver = (): boolean => performance.now() > endMs;
  findings.say('begins');
  await Promise.all([
    ...lanes.map(async (lane) => {
      while (!isOver()) {
        await lane.step();
        await pause(lane.settler.random.between(20, 200));
      }
    }),
    racers.work(isOver), operator.work(isOver),
    troubleNodes({ world, findings, isOver, random: randomOf(2) }),
    troubleDatabases({ world, findings, isOver, random: randomOf(3) }),
  ]);
  findings.say('is over; all is quiet from here on');
  await quiet({ world, findings, operator, lanes, racers });
} catch (error) {
  findings.add(`the soak itself failed: ${error instanceof Error ? error.stack : String(error)}`);
} finally {
  for (const [at, node] of world.nodes.entries()) sayErrors(at, node.log);
  await world.stop();
}
for (const line of findings.lines()) process.stdout.write(`${line}\n`);
process.stdout.write(`seed ${seed}: ${findings.found.length} findings\n`);
for (const line of findings.found) process.stdout.write(`  ${line}\n`);
process.exit(findings.found.length === 0 ? 0 : 1);

/** What a node has complained of, once each. */
function sayErrors(at: number, log: string): void {
  const counts = new Map<string, number>();
  for (const line of log.split('\n')) {
    const [, level = ''] = /"level":"?(\w+)/.exec(line) ?? [];
    if (!['50', '60', 'error', 'fatal'].includes(level)) continue;
    const text = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line;
    counts.set(text, (counts.get(text) ?? 0) + 1);
    if (counts.get(text) === 1) findings.say(`node ${at} says: ${line.slice(0, 600)}`);
  }
  for (const [text, count] of counts) findings.say(`node ${at} said ${count} times: ${text}`);
}
