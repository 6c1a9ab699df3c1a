/** What each kind of step does in the world. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HoldfastError } from '../../../src/base/errors.ts';
import type { BlockId } from '../../../src/base/ids.ts';
import { VOLUME_DEFAULTS } from '../../../src/storage/backends/local/volume-config.ts';
import { heal } from './heal.ts';
import type { Deed, Step } from './tape.ts';
import type { World } from './world.ts';

type Of<K extends Deed['do']> = Extract<Deed, { do: K }>;

/** Begins the step. What takes time goes on beside the next ones. */
export async function act(world: World, step: Step): Promise<void> {
  const { machine } = world;
  const isAnEnd = step.do === 'restart' || step.do === 'heal';
  if (world.coming !== undefined && (machine.isDown || isAnEnd)) await comeUp(world);
  machine.reseed(step.seed);
  const work = workOf(world, step);
  if (work !== undefined) world.begin(step.do, work);
  else await befall(world, step);
}

/** What the program does; undefined when it is something that happens to it. */
function workOf(world: World, step: Step): Promise<void> | undefined {
  const { life, machine } = world;
  switch (step.do) {
    case 'upload': return upload(world, step);
    case 'read': return read(world, step.file);
    case 'collect': return collect(world, step.runs);
    case 'restore': return life.restoreOldest();
    case 'sweep': return life.repair();
    case 'scrub': return machine.isTroubled ? Promise.resolve() : life.scrub();
    default: return undefined;
  }
}

async function befall(world: World, step: Step): Promise<void> {
  const { machine } = world;
  switch (step.do) {
    case 'remove': world.model.files.delete(step.file); break;
    case 'wait': await wait(world, step); break;
    case 'trouble': machine.trouble(step); break;
    case 'leave': machine.away.add(step.disk); break;
    case 'calm': machine.calm(); break;
    case 'fill': fill(world, step); break;
    case 'rot': rot(world, step); break;
    case 'stray': stray(world, step); break;
    case 'restart': await restart(world, step); break;
    case 'heal': await heal(world); break;
    default: throw new Error(`nobody knows what ${step.do} is`);
  }
}

async function upload(world: World, { file, blocks, dawdle }: Of<'upload'>): Promise<void> {
  const { model, life } = world;
  const claim = life.claim();
  try {
    await Promise.all(blocks.map((number) => {
      const block = model.block(number);
      const { condemnedCount } = life.store.reclaim.state();
      if (claim.add(block.id)) world.seen.add('an upload brought what was there');
      const isRescued = life.store.reclaim.state().condemnedCount < condemnedCount;
      if (isRescued) world.seen.add('a condemned block was rescued');
      return life.store.put(block);
    }));
    for (let turns = 0; turns < dawdle; turns++) await nextTurn();
    if (life.isOver) return;
    model.commit(file, blocks, life.store.witness());
    world.machine.note(`commit ${file}`);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    if (life.isOver) return;
    world.seen.add(`an upload was refused: ${error.kind}`);
    world.machine.note(`refused ${file} ${error.kind}`);
    const mayRefuse = world.isExcused || life.store.state().refusesWrites !== undefined;
    assert.ok(mayRefuse || error.kind === 'full', `refused without a reason: ${String(error)}`);
  } finally {
    claim.release();
  }
}

async function collect(world: World, runs: number): Promise<void> {
  const { life } = world;
  for (let run = 0; run < runs && !life.isOver; run++) {
    if (run > 0) await world.advance(25 * 60);
    await life.collect();
  }
}

async function read(world: World, file: number): Promise<void> {
  const blocks = world.model.files.get(file) ?? [];
  for (const number of blocks) {
    const isWanted = (): boolean => world.model.files.get(file) === blocks;
    await readBlock(world, world.model.block(number).id, isWanted);
  }
}

/** What is given out is right. What is refused is refused for a reason that passes. */
export async function readBlock(
  world: World, id: BlockId, isWanted: () => boolean = () => true,
): Promise<void> {
  const { life, model } = world;
  const wasExcused = world.isExcused;
  try {
    const bytes = await life.store.get(id);
    assert.ok(model.bytesOf(id)?.equals(bytes), `block ${id.slice(0, 8)} came back changed`);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    if (life.isOver || !isWanted()) return;
    const isPassing = error.kind === 'unavailable' || error.kind === 'corrupt';
    const where = `block ${id.slice(0, 8)}`;
    const isExcused = isPassing && (wasExcused || world.isExcused);
    assert.ok(isExcused, `${where}: ${error.kind}, ${error.message}`);
    world.seen.add(`a read was refused: ${error.kind}`);
  }
}

async function wait(world: World, { minutes }: Of<'wait'>): Promise<void> {
  const { keeper } = world.life.store;
  const isLong = minutes * 60_000 >= VOLUME_DEFAULTS.sealAfterMs && !world.life.isOver;
  const before = isLong && world.life.isServing ? await keeper.useOfOpen() : undefined;
  await world.advance(minutes);
  if (before === undefined || world.life.isOver || !world.life.isServing) return;
  if (await keeper.useOfOpen() === undefined) world.seen.add('an old volume was ended');
}

function fill({ machine }: World, { disk, leftBytes }: Of<'fill'>): void {
  const full = machine.disks[disk];
  if (full === undefined) return;
  full.capacityBytes = full.capacityBytes - full.freeBytes + leftBytes;
}

function rot(world: World, { disk, kind, where, bit }: Of<'rot'>): void {
  const rotting = world.machine.disks[disk];
  if (rotting === undefined || !world.mayHarm(disk)) return;
  const isVolume = (name: string): boolean => name.endsWith('.hv');
  const names = rotting.names().filter((name) =>
    kind === 'any' || isVolume(name) === (kind === 'volume'));
  const name = names[Math.floor(where * names.length)];
  if (name === undefined) return;
  // The fraction that was left over says where in the file.
  const within = (where * names.length) % 1;
  const sizeBytes = rotting.content(name).length;
  if (sizeBytes === 0) return;
  world.machine.harm(disk);
  world.seen.add(`rot in ${name.replace(/^v\d+\.1\.|-\d+$/g, '')}`);
  rotting.rot(name, Math.floor(within * sizeBytes), bit);
}

function stray(world: World, step: Of<'stray'>): void {
  if (!world.mayHarm(step.disk)) return;
  world.machine.harm(step.disk);
  world.machine.stray(step);
}

async function restart(world: World, step: Of<'restart'>): Promise<void> {
  if (step.later === true) {
    world.machine.stopAfter(step.calls);
    world.coming = step;
    return;
  }
  await endAndStart(world, step);
}

/** The machine has gone down in the middle of something, or will not any more. */
export async function comeUp(world: World): Promise<void> {
  const step = world.coming;
  if (step !== undefined) await endAndStart(world, { ...step, calls: 0 });
}

async function endAndStart(world: World, step: Of<'restart'>): Promise<void> {
  const { machine } = world;
  world.coming = undefined;
  if (machine.isDown) noteWhatWasCut(world, step.how);
  else if (step.how === 'close') {
    machine.noteTrouble(); // A store that is being closed refuses.
    await world.settle(world.life.close(), 10);
  }
  else {
    machine.stopAfter(step.calls);
    await world.settleAll(3);
    if (machine.isDown && step.calls > 0) noteWhatWasCut(world, step.how);
  }
  world.check();
  const how = step.how === 'power' ? 'power' : 'kill';
  world.end(how);
  if (step.wiped !== undefined && world.mayHarm(step.wiped)) {
    machine.disks[step.wiped]?.wipe();
    machine.harm(step.wiped);
    world.seen.add('a disk came back empty');
  }
  for (const calls of step.again) await world.openAndStop(calls);
  await world.open();
  await checkReadable(world);
}

function noteWhatWasCut({ life, seen }: World, how: string): void {
  seen.add(`${how} in the middle of work`);
  for (const work of life.busyWith) seen.add(`${how} in the middle of a ${work}`);
}

/** Reads all that is needed. */
export async function checkReadable(world: World): Promise<void> {
  for (const id of world.model.needed()) {
    const isDone = await world.settle(readBlock(world, id));
    assert.ok(isDone || world.machine.hasHung, 'a read never ends');
    if (!isDone) return;
  }
}
