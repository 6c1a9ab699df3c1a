/** Keeps sets whole: compares, makes anew, lets go of what is left over, and ends sets. */
import { isKind } from '../../../base/errors.ts';
import type { ErasureSet } from '../../erasure/erasure-set.ts';
import { catalogueSize, layoutOf, parityName } from '../../erasure/set-layout.ts';
import { proveErasureSet } from '../../erasure/set-proof.ts';
import { isShardSound, rebuildShard } from '../../erasure/set-rebuild.ts';
import type { ShardPlace } from '../../erasure/shard-place.ts';
import { replaceSmall } from '../checked-json.ts';
import type { CopyFinding } from '../copy-findings.ts';
import { encodeCopyList, type CopyList } from '../copy-list.ts';
import { VolumeCopies, type CopyState } from '../copy-table.ts';
import { letGo } from '../copy-volume.ts';
import type { DiskLink } from '../disk-link.ts';
import { copyListName, volumeName } from '../file-names.ts';
import { countCopies } from '../repair-plan.ts';
import { LinkFiles } from './link-files.ts';
import { reasonOf } from './set-maker.ts';
import { parityTrashName, recordName } from './set-names.ts';
import type { SetParts } from './set-parts.ts';
import { dueTrash, eraseTrash } from './set-trash.ts';
import { countShards, planSet, type SetStep, type SetSubject } from './set-plan.ts';
import { disksOf, encodeSetRecord, type SetRecord } from './set-record.ts';
import type { KnownSet } from './set-table.ts';

/** Steps for one set in one sweep: compare, make and let go, each shard some times over. */
const STEPS_MAX = 128;
/** Parity that was found right is read again after so long, as volumes are by the scrubber. */
const READ_AGAIN_MS = 7 * 24 * 60 * 60 * 1000;

/** Of each disk that has not left for good; undefined where it does not answer. */
export type SeenNames = ReadonlyMap<DiskLink, readonly string[] | undefined>;

export class SetKeeper {
  readonly #parts: SetParts;
  readonly #stopped: () => boolean;
  /** Sets for which nothing can be done at the moment, and why. */
  readonly blocked = new Map<number, string>();

  constructor(parts: SetParts, stopped: () => boolean) {
    this.#parts = parts;
    this.#stopped = stopped;
  }

  /** Does what the set needs. `seen`: names of files on disks that answer. Never rejects. */
  async keep(set: KnownSet, seen: SeenNames): Promise<void> {
    const { number } = set.record;
    this.blocked.delete(number);
    this.#doubtParity(set);
    for (let steps = 0; steps < STEPS_MAX && !this.#stopped(); steps++) {
      try {
        await this.#record(set);
        const step = await this.#plan(set);
        if (step.act === 'wait') this.blocked.set(number, step.reason);
        if (step.act === 'nothing') await this.#endIfWhole(set);
        if (step.act === 'nothing' && set.record.state === 'live') {
          await this.#emptyTrash(set, seen);
        }
        if (!await this.#take(step, set)) return;
      } catch (error) {
        const detail = reasonOf(error);
        this.blocked.set(number, detail);
        this.#report(set, { kind: 'set-not-kept', detail });
        return;
      }
    }
  }

  /** The scrubber knows volumes alone, so nobody else reads parity while the program runs. */
  #doubtParity(set: KnownSet): void {
    const nowMs = this.#parts.clock.monotonic();
    set.parityReadMs ??= nowMs;
    if (nowMs - set.parityReadMs < READ_AGAIN_MS) return;
    set.parityReadMs = nowMs;
    for (const states of set.parity.values()) {
      for (const [diskId, state] of states) if (state === 'good') states.set(diskId, 'unchecked');
    }
  }

  /** The record is on all disks of the set, as far as they take it. */
  async #record(set: KnownSet): Promise<void> {
    const bytes = encodeSetRecord(set.record);
    for (const id of new Set(disksOf(set.record))) {
      const link = this.#parts.links.find((one) => one.id === id);
      const isThere = link?.takesWrites === true && link.silentSinceMs === undefined;
      if (!isThere || set.recordedOn.has(id)) continue;
      const name = recordName(set.record.number);
      await link.call(0, (files) => replaceSmall(files, name, bytes)).then(
        () => set.recordedOn.add(id),
        () => undefined, // Nothing is let go before it has it.
      );
    }
  }

  async #change(set: KnownSet, change: Partial<SetRecord>): Promise<void> {
    const generation = set.record.generation + 1;
    set.record = { ...set.record, ...change, generation };
    set.recordedOn.clear();
    await this.#record(set);
  }

  /** Why the shard of the set on that disk could not go elsewhere; undefined: it could. */
  async reasonToStay(set: KnownSet, diskId: string): Promise<string | undefined> {
    const { files, policy, roomBytes } = this.#parts;
    const disks = (await files.placementDisks()).map((disk) =>
      (disk.id === diskId ? { ...disk, state: 'draining' as const } : disk));
    const step = planSet(this.#subject(set), { disks, domain: policy.domain, roomBytes });
    return step.act === 'wait' ? step.reason : undefined;
  }

  /** Shards of the set for which there is a file on one of these disks that is worth something. */
  shardsOn(set: KnownSet, diskIds: readonly string[]): number[] {
    return disksOf(set.record).flatMap((_, shard) => {
      const states = this.#states(set, shard);
      return diskIds.some((id) => ['good', 'unchecked'].includes(states.get(id) ?? ''))
        ? [shard] : [];
    });
  }

  async #plan(set: KnownSet): Promise<SetStep> {
    const { files, policy, roomBytes } = this.#parts;
    const disks = await files.placementDisks();
    return planSet(this.#subject(set), { disks, domain: policy.domain, roomBytes });
  }

  #subject(set: KnownSet): SetSubject {
    const { record, isProven, isToDissolve, data } = set;
    const lengths = record.volumes.map(({ sizeBytes }) => sizeBytes);
    const parityBytes = Math.max(...lengths);
    const catalogueBytes = catalogueSize(
      [...lengths, ...record.parityDiskIds.map(() => parityBytes)]);
    const { fileBytes } = layoutOf(parityBytes, catalogueBytes);
    const shards = disksOf(record).map((home, shard) => ({
      shard, home, states: this.#states(set, shard),
      sizeBytes: record.volumes[shard]?.sizeBytes ?? fileBytes,
    }));
    const isRecorded = disksOf(record).every((id) => set.recordedOn.has(id));
    const state = record.state === 'live' ? 'live' : 'dissolving';
    return { number: record.number, state, shards, data, isProven, isRecorded, isToDissolve };
  }

  #states(set: KnownSet, shard: number): Map<string, CopyState> {
    const volume = set.record.volumes[shard];
    if (volume === undefined) return set.parity.get(shard) ?? new Map<string, CopyState>();
    const known = this.#parts.copies.find(volume.volumeId);
    if (known !== undefined) return known.states;
    const list = {
      volumeId: volume.volumeId, generation: 0, copies: 1, acksMin: 1, diskIds: [volume.diskId],
    };
    const copies = new VolumeCopies(list);
    copies.sizeBytes = volume.sizeBytes;
    this.#parts.copies.add(copies);
    return copies.states;
  }

  /** False: nothing more to do for this set now. */
  async #take(step: SetStep, set: KnownSet): Promise<boolean> {
    switch (step.act) {
      case 'check':
        return this.#check(set, step.shard, this.#link(step.diskId));
      case 'make':
        return this.#make(set, step.shard, this.#link(step.target));
      case 'prove':
        return this.#prove(set);
      case 'let-go':
        return this.#letGo(set, step.shard, this.#link(step.diskId));
      case 'dissolve':
        await this.#change(set, { state: 'dissolving' });
        this.#report(set, { kind: 'set-ends', detail: step.reason });
        return true;
      default:
        return false;
    }
  }

  async #check(set: KnownSet, shard: number, link: DiskLink): Promise<boolean> {
    const states = this.#states(set, shard);
    let opened: ErasureSet;
    try {
      opened = await this.#parts.access.open(set);
    } catch (error) {
      if (!isKind(error, 'corrupt') && !isKind(error, 'invalid')) throw error;
      // No parity file that can be reached says what the set is: it is worth nothing.
      for (const parity of set.parity.values()) {
        const reached = [...parity.keys()].filter((diskId) => this.#answers(diskId));
        for (const diskId of reached) parity.set(diskId, 'damaged');
      }
      if (shard < set.data) throw error;
      return true;
    }
    try {
      const sound = await isShardSound(opened, shard, this.#place(set, shard, link), this.#work())
        .catch((error: unknown) => {
          if (link.silentSinceMs !== undefined) throw error;
          return false; // A place that cannot be read is as bad as one that is wrong.
        });
      states.set(link.id, sound ? 'good' : 'damaged');
      if (sound) this.#noteReplaced(set, shard, link);
      else this.#reportShard(set, shard, link, 'damaged');
    } finally {
      await opened.close();
    }
    return true;
  }

  async #make(set: KnownSet, shard: number, link: DiskLink): Promise<boolean> {
    const { access, files, clock, copies } = this.#parts;
    const place = this.#place(set, shard, link);
    const opened = await access.open(set);
    try {
      await rebuildShard(opened, shard, place, {
        ...this.#work(), makeWay: () => this.#moveAway(set, shard, link, clock.now()),
      });
    } finally {
      await opened.close();
    }
    this.#states(set, shard).set(link.id, 'good');
    files.noteFile(link, place.name, true);
    this.#noteReplaced(set, shard, link);
    const volume = set.record.volumes[shard];
    const known = copies.find(volume?.volumeId);
    if (known !== undefined) known.sizeBytes = volume?.sizeBytes ?? 0;
    await access.forget(set);
    await this.#rehome(set, shard, link.id);
    this.#reportShard(set, shard, link, 'made');
    return true;
  }

  async #rehome(set: KnownSet, shard: number, diskId: string): Promise<void> {
    const { record, data } = set;
    if (disksOf(record)[shard] === diskId) return;
    const volumes = record.volumes.map((volume, at) =>
      (at === shard ? { ...volume, diskId } : volume));
    const parityDiskIds = record.parityDiskIds.map((id, at) => (at + data === shard ? diskId : id));
    await this.#change(set, { volumes, parityDiskIds });
  }

  async #prove(set: KnownSet): Promise<boolean> {
    const { storeId, number } = set.record;
    const proof = await proveErasureSet(this.#parts.access.places(set), {
      ...this.#work(), expect: { storeId: Buffer.from(storeId, 'hex'), number },
    });
    set.isProven = proof.sound;
    if (proof.sound) return true;
    for (const { shard } of proof.findings) {
      const states = this.#states(set, shard);
      for (const [diskId, state] of states) if (state === 'good') states.set(diskId, 'unchecked');
    }
    return proof.findings.length > 0;
  }

  /** The plan was made from what is known; what is not known is asked here: every shard has a file
   *  on the disk on which it counts, beside the one that goes. */
  async #letGo(set: KnownSet, shard: number, link: DiskLink): Promise<boolean> {
    const { files, policy, clock } = this.#parts;
    const disks = await files.placementDisks();
    const counted = countShards(this.#subject(set), { disks, domain: policy.domain });
    for (const [at, id] of counted.entries()) {
      if (id === undefined || id === link.id && at === shard) return false;
      const place = this.#place(set, at, this.#link(id));
      if (!(await place.files.list()).includes(place.name)) throw new Error('a shard is not there');
    }
    if (!set.isProven || this.#states(set, shard).get(link.id) === 'differs') return false;
    const volume = set.record.volumes[shard];
    if (volume !== undefined) await this.#listOne(volume.volumeId, counted[shard] as string);
    await this.#moveAway(set, shard, link, clock.now());
    await link.call(0, (disk) => disk.syncFolder());
    await this.#rehome(set, shard, counted[shard] as string);
    this.#reportShard(set, shard, link, 'let-go');
    return true;
  }

  /** From now on one copy is enough of that volume, and where it is. */
  async #listOne(volumeId: number, diskId: string): Promise<void> {
    const { copies, files } = this.#parts;
    const known = copies.find(volumeId);
    if (known === undefined) return;
    const { generation, copies: count, diskIds } = known.list;
    if (count === 1 && diskIds.length === 1 && diskIds[0] === diskId) return;
    const list: CopyList = {
      volumeId, generation: generation + 1, copies: 1, acksMin: 1, diskIds: [diskId],
    };
    const link = this.#link(diskId);
    if (link.takesWrites) {
      const name = copyListName(volumeId);
      await link.call(0, (disk) => replaceSmall(disk, name, encodeCopyList(list)));
      files.noteFile(link, name, true);
    }
    known.list = list;
  }

  /** To the trash of its disk, if it is there. */
  async #moveAway(set: KnownSet, shard: number, link: DiskLink, nowMs: number): Promise<void> {
    const volume = set.record.volumes[shard];
    const { name } = this.#place(set, shard, link);
    if (volume !== undefined) await letGo(link, volume.volumeId, nowMs);
    else await trashParity(link, name, nowMs);
    this.#states(set, shard).delete(link.id);
    this.#noteReplaced(set, shard, link);
    this.#parts.files.noteFile(link, name, false);
  }

  /** A set that ends is no more once all of its volumes have all of their copies. */
  async #endIfWhole(set: KnownSet): Promise<void> {
    if (set.record.state !== 'dissolving') return;
    if (!await this.areWhole(set.record)) {
      this.blocked.set(set.record.number, 'its volumes are getting their copies back');
      return;
    }
    await this.#change(set, { state: 'dissolved' });
    if (!disksOf(set.record).some((id) => set.recordedOn.has(id))) return;
    this.#parts.sets.dissolved.set(set.record.number, set.record);
    this.#parts.sets.delete(set);
    await this.#parts.access.forget(set);
    this.#report(set, { kind: 'set-ended' });
  }

  /** Do all volumes that there still are have all of their copies, each seen on its disk? */
  async areWhole({ volumes }: SetRecord): Promise<boolean> {
    const { copies: table, files, policy } = this.#parts;
    const disks = await files.placementDisks();
    for (const { volumeId } of volumes) {
      const copies = table.find(volumeId);
      if (copies === undefined) continue;
      const answering = disks.filter(({ answers }) => answers);
      const { counted, wanted } = countCopies(copies, { disks: answering, policy });
      if (counted.length < wanted) return false;
      for (const id of counted) {
        const names = await this.#link(id).call(0, (disk) => disk.list());
        if (!names.includes(volumeName(volumeId))) return false;
      }
    }
    return true;
  }

  /** Nothing is to be done for the set: what it has put into the trash has had its time. Before it
   *  is erased all of the set is read and decoded once more. */
  async #emptyTrash(set: KnownSet, seen: SeenNames): Promise<void> {
    const { clock } = this.#parts;
    const { record } = set;
    const volumeIds = new Set(record.volumes.map(({ volumeId }) => volumeId));
    const owner = { volumeIds, setNumber: record.number };
    const due: { link: DiskLink; names: string[] }[] = [];
    for (const [link, names = []] of seen) {
      const old = dueTrash(names, owner, clock.now());
      if (old.length > 0 && link.takesWrites) due.push({ link, names: old });
    }
    const isRecorded = disksOf(record).every((id) => set.recordedOn.has(id));
    const allAnswer = disksOf(record).every((id) => this.#answers(id));
    if (due.length === 0 || !isRecorded || !allAnswer) return;
    await this.#prove(set);
    if (!set.isProven) return;
    for (const { link, names } of due) {
      const erased = await eraseTrash(link, names);
      if (erased === 0) continue;
      this.#report(set, { kind: 'trash-erased', diskId: link.id, detail: `${erased} files` });
    }
  }

  #place({ data, record }: KnownSet, shard: number, link: DiskLink): ShardPlace {
    const volume = record.volumes[shard];
    const name = shard < data && volume !== undefined
      ? volumeName(volume.volumeId) : parityName(record.number, shard);
    return { files: new LinkFiles(link), name };
  }

  #noteReplaced({ record }: KnownSet, shard: number, { id }: DiskLink): void {
    this.#parts.copies.find(record.volumes[shard]?.volumeId)?.noteReplaced(id);
  }

  #work() {
    return {
      pace: (bytes: number): Promise<void> => {
        if (this.#stopped()) throw new Error('the store is closing');
        return this.#parts.pace.take(bytes);
      },
    };
  }

  #answers(diskId: string): boolean {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    return link !== undefined && link.inUse && link.silentSinceMs === undefined;
  }

  #link(diskId: string): DiskLink {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    if (link === undefined) throw new Error('a disk that is not configured');
    return link;
  }

  #report({ record }: KnownSet, finding: Pick<CopyFinding, 'kind' | 'diskId' | 'detail'>): void {
    const detail = [`set ${record.number}`, finding.detail].filter(Boolean).join(': ');
    this.#parts.onFinding({ volumeId: 0, ...finding, detail });
  }

  #reportShard(
    set: KnownSet, shard: number, { id: diskId }: DiskLink, what: 'made' | 'damaged' | 'let-go',
  ): void {
    const volumeId = set.record.volumes[shard]?.volumeId;
    if (volumeId === undefined) {
      this.#report(set, { kind: `parity-${what}`, diskId, detail: `shard ${shard}` });
      return;
    }
    const detail = `set ${set.record.number}, shard ${shard}`;
    this.#parts.onFinding({ kind: `copy-${what}`, volumeId, diskId, detail });
  }
}

/** Durable once resolved, calm when it is not there. Under the draft of a rebuilt one, too. */
export async function trashParity(link: DiskLink, name: string, nowMs: number): Promise<void> {
  const names = await link.call(0, (files) => files.list());
  if (!names.includes(name)) return;
  let atMs = nowMs;
  while (names.includes(parityTrashName(name, atMs))) atMs++;
  await link.call(0, async (files) => {
    await files.rename(name, parityTrashName(name, atMs));
    await files.syncFolder();
  });
}
