/** With all troubles gone everything must come right by itself: all readable, on enough disks, no
 *  trash that stays, and room given back. */
import assert from 'node:assert/strict';
import { isKind } from '../../../src/base/errors.ts';
import type { CollectorTrouble } from '../../../src/durability/index.ts';
import {
  HEADER_BYTES, isRecordHeader, readBlockHeader, storedRecordBytes, SUPERBLOCK_BYTES, TYPE_BLOCK,
} from '../../../src/storage/backends/local/record-codec.ts';
import { trashedMs } from '../../../src/storage/replication/file-names.ts';
import type { SimulatedDisk } from '../disk/simulated-disk.ts';
import { checkReadable } from './deeds.ts';
import { diskId } from './life.ts';
import type { World } from './world.ts';

const DAY_MINUTES = 24 * 60;
/** In the trash for longer, a copy has been forgotten. */
const STUCK_MS = 17 * DAY_MINUTES * 60_000;
/** A suspicion takes a day, the trash 14 and one more. */
const REST_DAYS = [1, 1, 1, 14, 1, 1, 14, 1, 1];
/** What the volume that is being written may hold of garbage. */
const GARBAGE_MAX = 40;

export async function heal(world: World): Promise<void> {
  const { machine } = world;
  machine.calm();
  const isDone = await world.settleAll(200);
  // Nobody watches over a lone disk: whoever waits for a call that hangs waits for ever.
  const isStuck = world.setup.disks === 1 && machine.hasHung;
  if (!isDone || isStuck) {
    assert.ok(machine.hasHung, 'work never ends though nothing hangs');
    world.end('kill');
    await world.open();
  }
  world.check();
  // Some answers of disks are believed for a while, and one that has refused is left alone.
  await world.advance(13);
  await world.settleAll();
  await sweep(world, 2);
  await restartIfNeeded(world);
  // Nothing was harmed silently: then repairs need no verifier to tell them. But a footer that
  // could not be sealed on all copies may have been torn on one of them.
  if (machine.harmed.size === 0 && !world.seen.has('seal-failed')) checkCopies(world);
  await mend(world);
}

/** With the verifiers' help. After silent harm, and only then, it may take another start. */
async function mend(world: World): Promise<void> {
  const { machine } = world;
  try {
    await scrubAndCheck(world);
  } catch (error) {
    if (machine.harmed.size === 0) throw error;
    world.seen.add('another start was needed');
    world.end('kill');
    await world.open();
    await sweep(world, 2);
    await scrubAndCheck(world);
  }
}

async function scrubAndCheck(world: World): Promise<void> {
  await world.finish('a scrub', world.life.scrub());
  await sweep(world, 2);
  await restartIfNeeded(world);
  await checkReadable(world);
  await world.finish('a list', checkList(world));
  const { damagedCount } = world.life.store.state();
  // Of blocks that nobody was promised a harmed disk may have had the last copy.
  if (world.machine.harmed.size === 0) assert.equal(damagedCount, 0, 'blocks are damaged');
  checkCopies(world);
  world.machine.noteWell(hasHiddenRot(world));
}

/** Some things are looked at when the store starts, and nowhere else. */
async function restartIfNeeded(world: World): Promise<void> {
  const { life } = world;
  await world.liveOn(2);
  const { refusesWrites, damagedCount } = life.store.state();
  assert.notEqual(refusesWrites, 'full', 'full with all the room in the world');
  const isUnknown = life.copyFindings.some(({ kind }) => kind === 'foreign-file');
  const isClosed = refusesWrites !== undefined;
  if (!isClosed && !isUnknown && damagedCount === 0) return;
  world.end('kill');
  await world.open();
  await sweep(world, 2);
}

async function sweep(world: World, times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    await world.finish('a sweep', world.life.repair());
  }
}

/** Nothing is there that was never put. */
async function checkList({ life, model }: World): Promise<void> {
  for await (const id of life.store.list()) {
    const bytes = await life.store.get(id);
    assert.ok(model.bytesOf(id)?.equals(bytes), `block ${id.slice(0, 8)} was never put like this`);
  }
}

/** Every volume that is not being written has the same bytes on as many disks as it should. */
function checkCopies({ machine, setup, life }: World): void {
  const isVolume = (name: string): boolean => name.endsWith('.hv');
  const names = new Set(machine.disks.flatMap((disk) => disk.names().filter(isVolume)));
  for (const name of names) {
    const holders = machine.disks.filter((disk) => disk.names().includes(name));
    const where = holders.map((disk) => diskId(machine.disks.indexOf(disk))).join(' ');
    assert.equal(holders.length, setup.copies, `${name} is on ${where}`);
    const [first, ...others] = holders.map((disk) => disk.content(name));
    const areAlike = others.every((other) => isSame(first as Buffer, other));
    assert.ok(areAlike, `${name} differs: ${where}`);
  }
  const isDraft = (name: string): boolean => name.includes('.copying');
  const drafts = machine.disks.flatMap((disk: SimulatedDisk) => disk.names().filter(isDraft));
  assert.deepEqual(drafts, [], 'a draft was left');
  assert.equal(life.replicated?.repair.status().volumesWaiting ?? 0, 0, 'volumes wait for repair');
}

/** Rot in the zeros between records is found only once the volume is sealed. */
function hasHiddenRot({ machine }: World): boolean {
  const contents = new Map<string, Buffer[]>();
  for (const disk of machine.disks) {
    for (const name of disk.names().filter((one) => one.endsWith('.hv'))) {
      contents.set(name, [...(contents.get(name) ?? []), disk.content(name)]);
    }
  }
  return [...contents.values()].some(([first, ...others]) => others.some((other) => {
    const length = Math.min(other.length, first?.length ?? 0);
    return !other.subarray(0, length).equals(first?.subarray(0, length) ?? other);
  }));
}

/** Volumes without a footer may end in more or fewer zeros, or in what was never acknowledged. */
function isSame(one: Buffer, other: Buffer): boolean {
  if (one.equals(other)) return true;
  if (isSealed(one) || isSealed(other)) return false;
  const length = Math.min(one.length, other.length);
  return withoutPadding(one).subarray(0, length)
    .equals(withoutPadding(other).subarray(0, length));
}

function isSealed(bytes: Buffer): boolean {
  return bytes.subarray(-4096).subarray(0, 8).equals(Buffer.from('HFSEAL01'));
}

/** The zeros between records are covered by no checksum while a volume has no footer: rot there is
 *  found when the sealed copies are compared, and harms nobody until then. */
function withoutPadding(volume: Buffer): Buffer {
  const bytes = Buffer.from(volume);
  for (let at = SUPERBLOCK_BYTES; at + HEADER_BYTES <= bytes.length;) {
    if (!isRecordHeader(bytes, at)) break;
    const header = readBlockHeader(bytes, at);
    const isBlock = header.type === TYPE_BLOCK;
    // The last one may be the beginning of what did not fit on a full disk.
    const next = Math.min(bytes.length, at + (isBlock ? storedRecordBytes(header) : HEADER_BYTES));
    if (isBlock) bytes.fill(0, Math.min(at + HEADER_BYTES + header.payloadBytes, next), next);
    at = next;
  }
  return bytes;
}

/** What was harmed before it went to the trash may stay there until somebody has looked. */
async function checkTrash(world: World): Promise<void> {
  const { life, machine, seen } = world;
  const isExcused = ({ what, error }: CollectorTrouble): boolean => what === 'much-garbage'
    || (what === 'inspection' && machine.wasEverHarmed && isKind(error, 'corrupt'));
  const troubles = life.troubles.filter((trouble) => !isExcused(trouble));
  assert.deepEqual(troubles, [], 'the collector met with trouble');
  const trashed = await world.finish('a look', life.store.keeper.listTrash());
  const stuck = new Set(life.troubles.map(({ volumeId }) => volumeId));
  if (stuck.size > 0) seen.add('damaged trash stays');
  const others = trashed.filter(({ volumeId }) => !stuck.has(volumeId));
  assert.deepEqual(others, [], 'trash is stuck');
}

/** Copies that repair has replaced are gone after two weeks and a bit. Not those of a volume that
 *  is being written, not what is left of one that was never finished, and not while the volume
 *  itself stays in the trash, because it is damaged there: then they may be all that is sound. */
function checkReplaced({ machine, clock }: World): void {
  const isThere = (name: string): boolean =>
    machine.disks.some((disk) => disk.names().includes(name));
  const isOver = (volume: string): boolean => !isThere(`${volume}.trash`)
    && (isThere(volume.replace(/hv$/, 'gone')) || machine.disks.some((disk) =>
      disk.names().includes(volume) && isSealed(disk.content(volume))));
  const isStuck = (name: string): boolean => clock.now() - trashedMs(name) > STUCK_MS
    && isOver(name.replace(/\.bad-\d+$/, ''));
  const stuck = machine.disks.flatMap((disk) => disk.names().filter(isStuck));
  assert.deepEqual(stuck, [], 'replaced copies are stuck in the trash');
}

/** The end of every history: the collector gives back what nobody needs, and a last power cut. */
export async function rest(world: World): Promise<void> {
  await heal(world);
  if (world.machine.wasEverTroubled) {
    // A step of the collector that failed half way may wait for the next start.
    world.end('kill');
    await world.open();
    await heal(world);
  }
  world.life.troubles.length = 0;
  for (const days of REST_DAYS) {
    await world.advance(days * DAY_MINUTES);
    await world.finish('a collection', world.life.collect());
  }
  await checkTrash(world);
  checkReplaced(world);
  const { store } = world.life;
  const garbageCount = store.state().blockCount - world.model.needed().size;
  assert.ok(garbageCount <= GARBAGE_MAX, `${garbageCount} blocks of garbage are left`);
  await heal(world);
  await world.finish('closing', store.close());
  world.end('power');
  await world.open();
  await heal(world);
}
