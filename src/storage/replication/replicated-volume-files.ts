/**
 * Several disks that look like one to the volume store. docs/formats/copies.md has the files.
 *
 * The idea: a volume has the same bytes on all of its disks, and one writer. So there is nothing to
 * vote about: every write goes to all copies, and a copy that did not take one is out until it has
 * been made anew. Whoever repairs never has to merge, only to copy what is longer.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import {
  errorCode, isOutOfRoom, type DiskSpace, type OpenMode, type VolumeFile, type VolumeFiles,
} from '../backends/local/volume-files.ts';
import { SUPERBLOCK_BYTES } from '../backends/local/record-codec.ts';
import { goneName, parseGoneName } from '../backends/local/volume.ts';
import { readSmall, replaceSmall } from './checked-json.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import { decodeCopyList, encodeCopyList, type CopyList } from './copy-list.ts';
import { VolumeCopies, type CopyTable } from './copy-table.ts';
import { letGo } from './copy-volume.ts';
import { DiskChoice, type Failing } from './disk-choice.ts';
import { DiskLink } from './disk-link.ts';
import { FileLeg } from './file-leg.ts';
import {
  copyListName, isOwnName, isVolumeDraft, parseVolumeName, volumeIdOf, volumeName,
} from './file-names.ts';
import { KnownNames } from './known-names.ts';
import { leavingList } from './leftover-copy.ts';
import { logicalSpace } from './logical-space.ts';
import { onEach, onSome } from './on-disks.ts';
import type { Placement, PlacementDisk } from './placement.ts';
import { CopySurroundings, noteFullDisk, type DamagedPlace } from './copy-surroundings.ts';
import { ReplicatedFile, systemError, type FileSurroundings } from './replicated-file.ts';
import type { SetView } from './sets/set-view.ts';
import type { ReplicationPolicy, VolumeDisk } from './volume-disk.ts';

const OP = 'storage/ReplicatedVolumeFiles';

export interface ReplicatedParts {
  /** Grows when a disk is added. */
  links: DiskLink[];
  table: CopyTable;
  policy: ReplicationPolicy;
  clock: Clock;
  /** A disk with less room gets no new volume. */
  roomBytes: number;
  onFinding: OnCopyFinding;
  /** Volumes that have one copy and parity. */
  sets?: SetView;
}

/**
 * Promises what VolumeFiles promises, and: a write or sync has succeeded when it has on all copies;
 * or on at least `acksMin` of them, and then the file is `degraded` from that moment on. It rejects
 * with the code TOO_FEW_COPIES otherwise. A read that fails on one disk is answered by another.
 */
export class ReplicatedVolumeFiles implements VolumeFiles {
  readonly #parts: ReplicatedParts;
  readonly #choice: DiskChoice;
  /** Names of the files on each disk, as far as known. */
  readonly #names = new Map<DiskLink, KnownNames>();
  /** Disks whose folder has changed through us since it was last synced, and the volumes that got
   *  their names there meanwhile. */
  readonly #unsynced = new Map<DiskLink, Set<number>>();
  /** Disks whose folder a program that was killed may have changed. */
  readonly #leftUnsynced = new Set<DiskLink>();

  /** `openReplicatedFiles` makes one, after the copies have been compared. */
  constructor(parts: ReplicatedParts) {
    this.#parts = parts;
    this.#choice = new DiskChoice(parts);
    for (const link of parts.links) {
      this.#names.set(link, new KnownNames());
      if (link.inUse) this.#leftUnsynced.add(link);
    }
  }

  /** See VolumeFiles. */
  get hidesVolumes(): boolean {
    return this.#parts.links.some(({ state, silentSinceMs }) =>
      state !== 'retired' && silentSinceMs !== undefined);
  }

  async list(): Promise<string[]> {
    await this.#look();
    const all = new Set([...this.#names.values()].flatMap((names) => [...names]));
    // They are there, wherever their own file is.
    for (const volumeId of this.#parts.sets?.volumeIds() ?? []) all.add(volumeName(volumeId));
    return [...all].filter((name) => !isOwnName(name)).sort();
  }

  async prepare(): Promise<void> {
    await onSome(this.#parts.links.filter(({ takesWrites }) => takesWrites), (files) =>
      files.prepare());
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    if (how === 'create') return this.#create(name);
    const isInSet = this.#parts.sets?.has(parseVolumeName(name)) === true;
    if (isInSet && how === 'write') throw systemError('EROFS');
    if (this.#holders(name).length === 0 && !isInSet) await this.#look();
    if (this.#holders(name).length === 0 && !isInSet) throw this.#absent(name);
    const copies = this.#parts.table.find(parseVolumeName(name));
    const around = this.#surroundings(name, how);
    if (how === 'read') {
      const file = new ReplicatedFile(how, [], around);
      await file.size(); // Opens one copy, so that an absent file is told apart right here.
      return file;
    }
    const legs: FileLeg[] = [];
    let failure: unknown = this.#absent(name);
    for (const link of around.sources()) {
      try {
        if (!link.takesWrites) throw systemError('EROFS');
        legs.push(new FileLeg(link, await link.open(name, how)));
      } catch (error) {
        failure = error;
        around.onWriteFailed(link, error);
      }
    }
    if (legs.length === 0) throw failure;
    if (copies !== undefined) copies.writers++;
    return new ReplicatedFile(how, legs, around);
  }

  async rename(from: string, to: string): Promise<void> {
    const leaving = parseVolumeName(from);
    const { sets } = this.#parts;
    if (leaving === undefined || sets === undefined) return this.#rename(from, to);
    await sets.leave(leaving, () => this.#rename(from, to));
  }

  async #rename(from: string, to: string): Promise<void> {
    let links = this.#holders(from);
    if (links.length === 0) throw systemError('ENOENT');
    const leaving = parseVolumeName(from);
    if (leaving !== undefined) {
      await this.#prepareLeaving(leaving);
      links = await this.#keepGood(leaving, links.filter((link) => this.#leaves(link, from)));
    }
    const arriving = parseVolumeName(to);
    const list = arriving === undefined ? undefined
      : await this.#firstList(arriving, links, isVolumeDraft(from));
    if (list !== undefined && this.#parts.policy.copies > 1) await this.#writeLists(list, links);
    await this.#renameOn(links, from, to);
    if (leaving !== undefined) this.#parts.table.delete(leaving);
    if (list === undefined) return;
    const copies = new VolumeCopies(list);
    for (const { id } of links) copies.states.set(id, 'good');
    if (isVolumeDraft(from)) {
      copies.writers++; // The handle under which it was made.
      copies.markEnd = SUPERBLOCK_BYTES;
      copies.isMarkExact = true;
    }
    this.#parts.table.add(copies);
  }

  /** On all of them, or on none as far as it can be taken back. */
  async #renameOn(links: readonly DiskLink[], from: string, to: string): Promise<void> {
    const done: DiskLink[] = [];
    try {
      await onEach(links, async (link) => {
        this.#noteUnsynced(link, parseVolumeName(to));
        await this.#renameOne(link, from, to);
        done.push(link);
        this.#noteRenamed(link, from, to);
      });
    } catch (error) {
      for (const link of done) {
        await link.call(0, (files) => files.rename(to, from)).then(
          () => this.#noteRenamed(link, to, from),
          () => undefined, // One copy more or less than known: the next start, or sweep, finds it.
        );
      }
      throw error;
    }
  }

  /** A disk that was given up may do it long after. A new volume that nobody knows must not come to
   *  be that way: nobody else uses its names, so it can be taken back. */
  async #renameOne(link: DiskLink, from: string, to: string): Promise<void> {
    let isGivenUp = false;
    try {
      await link.call(0, async (files) => {
        await files.rename(from, to);
        if (isGivenUp && isVolumeDraft(from)) await files.rename(to, from);
      });
    } catch (error) {
      isGivenUp = true;
      throw error;
    }
  }

  #noteRenamed(link: DiskLink, from: string, to: string): void {
    this.#names.get(link)?.delete(from);
    this.#names.get(link)?.add(to);
  }

  /** A volume leaves all of its disks or none: a copy left behind would bring it back. Unless it is
   *  written down that it has left, and without which disks, on as many others as are relied upon
   *  for everything else: one of them will be there to be asked when the absent one returns. */
  async #prepareLeaving(volumeId: number): Promise<void> {
    const { table, links, policy, sets } = this.#parts;
    const copies = table.find(volumeId);
    if (copies === undefined) return;
    const away = links.filter(({ state, inUse, silentSinceMs }) =>
      state !== 'retired' && (!inUse || silentSinceMs !== undefined));
    // Also one that is not on the list any more may have an old copy.
    if (away.length === 0) return;
    const { list } = copies;
    const leaving = leavingList({ list, isGood: ({ id }) => copies.isGood(id) }, {
      links, away, acksMin: policy.acksMin,
      hasNote: (link) => this.#names.get(link)?.has(goneName(volumeId)) === true,
    });
    if (leaving === undefined || sets?.has(volumeId) === true) throw systemError('EHOSTDOWN');
    await this.#writeLists(leaving.next, leaving.noted);
    copies.list = leaving.next;
  }

  /** What lies on a disk that does not answer is left there, and known no more. */
  #leaves(link: DiskLink, name: string): boolean {
    const answers = link.inUse && link.silentSinceMs === undefined;
    if (!answers) this.#names.get(link)?.delete(name);
    return answers;
  }

  /** Nobody mends what lies in the trash, and whoever brings it back takes all copies for whole: so
   *  only those that are go there. */
  async #keepGood(volumeId: number, links: readonly DiskLink[]): Promise<DiskLink[]> {
    const copies = this.#parts.table.find(volumeId);
    const good = links.filter(({ id }) => copies?.isGood(id));
    if (copies === undefined || good.length === 0) return [...links];
    for (const link of links.filter((one) => !good.includes(one))) {
      await letGo(link, volumeId, this.#parts.clock.now());
      copies.states.delete(link.id);
      this.noteFile(link, volumeName(volumeId), false);
    }
    return good;
  }

  async remove(name: string): Promise<void> {
    if (this.#holders(name).length === 0) await this.#look();
    const links = this.#holders(name);
    if (links.length === 0) throw systemError('ENOENT');
    await onEach(links, async (link) => {
      this.#noteUnsynced(link);
      await link.call(0, (files) => files.remove(name)).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOENT') throw error;
      });
      this.#names.get(link)?.delete(name);
    });
    const volumeId = parseVolumeName(name);
    if (volumeId === undefined) return;
    this.#parts.table.delete(volumeId);
    for (const link of links) {
      if (!this.#names.get(link)?.has(copyListName(volumeId))) continue;
      await link.call(0, (files) => files.remove(copyListName(volumeId))).catch(() => undefined);
      this.#names.get(link)?.delete(copyListName(volumeId));
    }
  }

  /** @throws when a disk on which files were made, renamed or removed does not sync them. */
  async syncFolder(): Promise<void> {
    for (const link of this.#leftUnsynced) {
      if (this.#unsynced.has(link) || link.silentSinceMs !== undefined) continue;
      await link.call(0, (files) => files.syncFolder()).then(
        () => this.#leftUnsynced.delete(link),
        () => undefined, // Whatever is missing after a power cut is found and copied.
      );
    }
    const changed = new Map(this.#unsynced);
    this.#unsynced.clear();
    // What has left for good may be gone from its place by now.
    const staying = [...changed.keys()].filter(({ state }) => state !== 'retired');
    await onEach(staying, async (link) => {
      try {
        await link.call(0, (files) => files.syncFolder());
      } catch (error) {
        this.#noteNotSynced(link, changed.get(link) ?? new Set());
        throw error;
      }
    });
  }

  #noteUnsynced(link: DiskLink, volumeId?: number): void {
    if (volumeId === undefined && link.silentSinceMs !== undefined) {
      this.#leftUnsynced.add(link); // A hint or the like: not worth telling anybody.
      return;
    }
    const named = this.#unsynced.get(link) ?? new Set();
    if (volumeId !== undefined) named.add(volumeId);
    this.#unsynced.set(link, named);
  }

  /** A disk is known to be out of reach: whoever syncs the folder next has likely nothing to do
   *  with what was changed there, and is not told. */
  noteOutOfReach(link: DiskLink): void {
    const named = this.#unsynced.get(link);
    if (named === undefined) return;
    this.#unsynced.delete(link);
    this.#noteNotSynced(link, named);
  }

  /** Whoever asked is told once. A disk that is out of reach must not fail all that comes after,
   *  which has nothing to do with it: what got a name there is made anew, and the folder is synced
   *  when the disk is back. */
  #noteNotSynced(link: DiskLink, named: ReadonlySet<number>): void {
    if (link.silentSinceMs === undefined) {
      for (const volumeId of named) this.#noteUnsynced(link, volumeId);
      if (named.size === 0) this.#noteUnsynced(link);
      return;
    }
    this.#leftUnsynced.add(link);
    for (const volumeId of named) this.#parts.table.find(volumeId)?.demote(link.id, 'stale');
  }

  /** How much more can be stored, each byte in all of its copies. */
  async space(): Promise<DiskSpace> {
    const links = this.#parts.links.filter(({ inUse }) => inUse);
    const spaces = await Promise.all(links.map(async (link) => {
      const space = await link.measure();
      const freeBytes = link.state === 'active' ? (space?.freeBytes ?? 0) : 0;
      const domain = link.labels[this.#parts.policy.domain];
      return space === undefined ? undefined : { ...space, domain, freeBytes };
    }));
    const known = spaces.filter((space) => space !== undefined);
    // Too few disks is no lack of room: placement says so, with the reason.
    const domains = new Set(known.map(({ domain }) => domain)).size;
    if (domains === 0) throw systemError('ENODEV');
    return logicalSpace(known, Math.min(domains, this.#parts.policy.copies));
  }

  /** From now on volumes are placed on it too. */
  addDisk(disk: VolumeDisk): void {
    const link = new DiskLink(disk, this.#parts.clock);
    this.#names.set(link, new KnownNames());
    this.#parts.links.push(link);
  }

  /** Names of the files on a disk, as last seen. */
  namesOn(link: DiskLink): readonly string[] {
    return [...(this.#names.get(link) ?? [])];
  }

  /** What a disk holds has been changed behind this object's back: by a repair. */
  noteFile(link: DiskLink, name: string, there: boolean): void {
    if (there) this.#names.get(link)?.add(name);
    else this.#names.get(link)?.delete(name);
  }

  /** A verifier has found bytes of that copy to be wrong: it is made anew. Calm when there is no
   *  such copy, or when that is known already. */
  reportDamage({ volumeId, diskId, offset = 0, lengthBytes = 0 }: DamagedPlace): void {
    if (this.#parts.table.find(volumeId)?.demote(diskId, 'damaged') !== true) return;
    const place = { volumeId, diskId, offset, lengthBytes };
    this.#parts.onFinding({ kind: 'copy-damaged', ...place });
  }

  async #look(): Promise<void> {
    const links = this.#parts.links.filter(({ inUse }) => inUse);
    await onSome(links, async (files, link) => {
      await this.#names.get(link)?.relist(() => files.list());
    });
  }

  /** Disks in use that have the file; copies that differ are not counted. */
  #holders(name: string): DiskLink[] {
    const copies = this.#parts.table.find(parseVolumeName(name));
    return this.#parts.links.filter((link) =>
      link.inUse && this.#names.get(link)?.has(name) && copies?.states.get(link.id) !== 'differs');
  }

  async #create(name: string): Promise<VolumeFile> {
    // The note is written first when a volume goes: it must not say what does not come.
    const goes = parseGoneName(name.replace(/\.new$/, ''));
    if (goes !== undefined) this.#parts.sets?.checkMayLeave(goes);
    if (this.#holders(name).length > 0) throw systemError('EEXIST');
    const copies = this.#parts.table.find(volumeIdOf(name));
    const avoid: Failing = new Map();
    for (;;) {
      const links = goes === undefined && copies === undefined
        ? await this.#chooseDisks(volumeIdOf(name) ?? 0, avoid)
        : this.#linksFor(copies?.good, goes).filter((link) =>
          link.takesWrites && !avoid.has(link));
      if (links.length === 0) throw systemError('EIO');
      const legs = await this.#createOn(name, links, avoid);
      const enough = copies === undefined ? links.length : 1;
      if (legs.length >= enough) {
        return new ReplicatedFile('create', legs, this.#surroundings(name, 'create'));
      }
    }
  }

  /** The note that a volume has left goes to every disk that answers, for it outlives all copies: a
   *  number that nobody explains keeps the store from starting. */
  #linksFor(good: readonly string[] | undefined, goes: number | undefined): DiskLink[] {
    if (goes === undefined) return this.#linksOf(good ?? []);
    return this.#parts.links.filter(({ silentSinceMs }) => silentSinceMs === undefined);
  }

  /** On all of them, or on none unless it may lie on fewer; the failing ones go to `avoid`. */
  async #createOn(
    name: string,
    links: readonly DiskLink[],
    avoid: Failing,
  ): Promise<FileLeg[]> {
    const legs: FileLeg[] = [];
    let exists: unknown;
    for (const link of links) {
      try {
        legs.push(new FileLeg(link, await link.open(name, 'create')));
        this.#names.get(link)?.add(name);
        this.#noteUnsynced(link);
      } catch (error) {
        if (errorCode(error) === 'EEXIST') exists = error;
        avoid.set(link, isOutOfRoom(error) ? 'full' : 'failing');
        noteFullDisk(link, error);
      }
    }
    if (legs.length === links.length) return legs;
    const optional = this.#parts.table.find(volumeIdOf(name)) !== undefined;
    if (optional && legs.length > 0) return legs;
    for (const leg of legs) {
      await leg.close().catch(() => undefined);
      await leg.link.call(0, (files) => files.remove(name)).catch(() => undefined);
      this.#names.get(leg.link)?.delete(name);
    }
    if (exists !== undefined) throw exists as Error;
    return [];
  }

  async #chooseDisks(volumeId: number, avoid: Failing): Promise<DiskLink[]> {
    const placement = await this.#choice.placeNew(volumeId, avoid);
    if (placement.placed) return this.#linksOf(placement.diskIds);
    if (placement.why === 'full') throw systemError('ENOSPC');
    const message = 'Not enough disks can take new files at the moment. Files can be read.';
    const facts = { reason: placement.reason };
    throw new HoldfastError('unavailable', `${OP}.open`, message, { facts });
  }

  /** As DiskChoice. */
  placeNew(volumeId: number): Promise<Placement> {
    return this.#choice.placeNew(volumeId);
  }

  /** As DiskChoice. */
  placementDisks(): Promise<PlacementDisk[]> {
    return this.#choice.disksNow();
  }

  #linksOf(diskIds: readonly string[]): DiskLink[] {
    return diskIds.flatMap((id) => this.#parts.links.filter((link) => link.id === id));
  }

  /** Newer than any list that was left from a time before the volume went to the trash. */
  async #firstList(
    volumeId: number, links: readonly DiskLink[], isNew: boolean,
  ): Promise<CopyList> {
    const { policy } = this.#parts;
    // What begins with fewer copies than wanted counts those alone: each write is on W of them.
    const copies = isNew ? links.length : policy.copies;
    if (isNew && copies < policy.acksMin) throw systemError('EHOSTDOWN');
    const acksMin = Math.min(policy.acksMin, copies);
    let generation = 1;
    const name = copyListName(volumeId);
    for (const link of links.filter((one) => this.#names.get(one)?.has(name))) {
      const bytes = await link.call(0, (files) => readSmall(files, name));
      const old = bytes === undefined ? undefined : decodeCopyList(bytes, volumeId);
      generation = Math.max(generation, (old?.generation ?? 0) + 1);
    }
    return { volumeId, generation, copies, acksMin, diskIds: links.map(({ id }) => id) };
  }

  async #writeLists(list: CopyList, links: readonly DiskLink[]): Promise<void> {
    const name = copyListName(list.volumeId);
    await onEach(links, async (link) => {
      await link.call(0, (files) => replaceSmall(files, name, encodeCopyList(list)));
      this.#names.get(link)?.add(name);
    });
  }

  #surroundings(name: string, how: OpenMode): FileSurroundings {
    return new CopySurroundings(name, how, {
      ...this.#parts,
      holders: (file) => this.#holders(file),
      reportDamage: (place) => this.reportDamage(place),
    });
  }

  /** A volume of which a disk is out of reach is not "not there". */
  #absent(name: string): Error {
    const copies = this.#parts.table.find(parseVolumeName(name));
    return systemError(copies === undefined ? 'ENOENT' : 'EHOSTDOWN');
  }
}
