/**
 * What an operator does with disks. Every change is planned first: the plan says what will happen,
 * how much that is, and what speaks against it. Carrying it out plans again, and refuses when that
 * comes out differently: nothing is done that nobody has seen.
 */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { CopyTable, VolumeCopies } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import type { DiskRegister, RegisteredDisk } from './disk-register.ts';
import { parseVolumeName } from './file-names.ts';
import { countLastNotes } from './gone-notes.ts';
import { place, type PlacementDisk } from './placement.ts';
import { countCopies } from './repair-plan.ts';
import type { ReplicatedVolumeFiles } from './replicated-volume-files.ts';
import type { ErasureSets } from './sets/erasure-sets.ts';
import type { DiskLabels, DiskState, ReplicationPolicy, VolumeDisk } from './volume-disk.ts';

const OP = 'storage/Disks';
/** A plan names so many volumes, and counts the others. */
const NAMED_MAX = 20;

export interface DiskOverview {
  readonly id: string;
  readonly labels: DiskLabels;
  readonly where: string;
  readonly state: DiskState;
  readonly answers: boolean;
  /** For how long it has not answered; undefined while it does. */
  readonly silentMs: number | undefined;
  /** Undefined unless it has refused writes again and again: the system's word for it, how often in
   *  a row, and in how long it is tried again. */
  readonly refusal: { readonly code: string; readonly count: number; readonly retryMs: number }
    | undefined;
  /** Undefined when it does not answer. */
  readonly freeBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** Copies on it, whatever they are worth, and what they take. */
  readonly volumeCount: number;
  readonly volumeBytes: number;
  /** Copies on it without which their volume has too few. */
  readonly neededCount: number;
  /** Parity files of erasure sets that no other disk has. */
  readonly parityCount: number;
}

/** What a volume that was made now would get. */
export interface NewVolumeOutlook {
  /** 0: none can be made. */
  readonly copies: number;
  /** Why not all of them; undefined: they are all. */
  readonly reason: string | undefined;
}

export interface DiskPlan {
  readonly action: 'add' | 'drain' | 'undrain' | 'retire' | 'move';
  readonly diskId: string;
  /** Copies to be made elsewhere, and what they take. */
  readonly volumeCount: number;
  readonly volumeBytes: number;
  /** Why it is refused; empty: it may be done. */
  readonly objections: readonly string[];
  /** What else the operator should know. */
  readonly notes: readonly string[];
  /** Changes when anything above, or the list of disks, does. */
  readonly etag: string;
}

export interface NewDisk extends VolumeDisk {
  readonly where: string;
}

export interface DisksParts {
  readonly register: DiskRegister;
  readonly links: DiskLink[];
  readonly table: CopyTable;
  readonly files: ReplicatedVolumeFiles;
  readonly policy: ReplicationPolicy;
  readonly clock: Clock;
  /** See ReplicationLimits. */
  readonly roomBytes: number;
  readonly sets: ErasureSets;
}

export class Disks {
  readonly #parts: DisksParts;

  constructor(parts: DisksParts) {
    this.#parts = parts;
  }

  /** Which disks there are, where, and in which state. */
  get register(): DiskRegister {
    return this.#parts.register;
  }

  /** In the order in which they were added. Retired ones are left out unless asked for. */
  async list(withRetired = false): Promise<DiskOverview[]> {
    const disks = this.#parts.register.disks.filter(({ state }) =>
      withRetired || state !== 'retired');
    return Promise.all(disks.map((disk) => this.#overview(disk)));
  }

  /** May new files be stored at the moment, and how often? */
  async newVolumes(): Promise<NewVolumeOutlook> {
    const placement = await this.#parts.files.placeNew(0);
    if (!placement.placed) return { copies: 0, reason: placement.reason };
    return { copies: placement.diskIds.length, reason: placement.lacking };
  }

  /** The disk is new: nothing has to be moved, but it must be what it seems. */
  async planAdd(disk: NewDisk): Promise<DiskPlan> {
    const { register, policy } = this.#parts;
    const objections: string[] = [];
    const notes: string[] = [];
    const known = register.find(disk.id);
    if (known?.state === 'retired') objections.push('It was retired: it needs a new id.');
    else if (known !== undefined) objections.push('It is in use already.');
    const same = register.disks.find(({ state, where, labels }) => state !== 'retired'
      && (where === disk.where || labels.disk === disk.labels.disk));
    if (same !== undefined && known === undefined) {
      objections.push(`Disk ${same.id} is at the same place, or has the same label.`);
    }
    const names = await disk.files.list().catch(() => undefined);
    if (names === undefined) objections.push('It cannot be read.');
    const volumes = (names ?? []).filter((name) => parseVolumeName(name) !== undefined);
    if (volumes.length > 0) objections.push(`It holds ${volumes.length} volumes: it is not empty.`);
    const peers = register.disks.filter(({ state, labels }) =>
      state !== 'retired' && labels[policy.domain] === disk.labels[policy.domain]);
    if (peers.length > 0) {
      const ids = peers.map(({ id }) => id).join(', ');
      notes.push(`It shares its ${policy.domain} with ${ids}: no volume has copies on both.`);
    }
    return this.#plan({ action: 'add', diskId: disk.id, volumes: [], objections, notes });
  }

  /** @throws conflict: the plan has objections, or would come out differently by now. */
  async add(disk: NewDisk, plan: DiskPlan): Promise<void> {
    this.#check(plan, await this.planAdd(disk));
    const { register, files, clock } = this.#parts;
    const { id, labels, where } = disk;
    await disk.files.prepare();
    const entry: RegisteredDisk = { id, labels, where, state: 'active', addedMs: clock.now() };
    await register.add(entry, { id, files: disk.files });
    files.addDisk({ ...disk, state: 'active' });
  }

  /** Copies everything on the disk elsewhere, which takes its time, and takes nothing new. */
  async planDrain(diskId: string): Promise<DiskPlan> {
    const link = this.#link(diskId);
    const objections: string[] = [];
    if (link.state === 'draining') objections.push('It is draining already.');
    if (link.state === 'missing') objections.push('It is missing: its copies are made anew.');
    if (link.state === 'retired') objections.push('It was retired.');
    const volumes = this.#neededOn(link);
    const { sets } = this.#parts;
    const ordinary = volumes.filter(({ volumeId }) => !sets.keeps(volumeId));
    objections.push(...(await this.#withoutPlace(ordinary, link)));
    for (const [reason, count] of await sets.reasonsToStay(diskId)) {
      objections.push(`${count} erasure ${count === 1 ? 'set' : 'sets'} would have no place: `
        + `${reason}.`);
    }
    const notes = ['What is copied goes to the trash of this disk, once the copies are verified.'];
    return this.#plan({ action: 'drain', diskId, volumes, objections, notes });
  }

  /** @throws as `add`. */
  async drain(plan: DiskPlan): Promise<void> {
    this.#check(plan, await this.planDrain(plan.diskId));
    await this.#setState(plan.diskId, 'draining');
  }

  /** Takes a drain back: what is still on the disk counts again. */
  async planUndrain(diskId: string): Promise<DiskPlan> {
    const { state } = this.#link(diskId);
    const objections = state === 'draining' ? [] : ['It is not draining.'];
    return this.#plan({ action: 'undrain', diskId, volumes: [], objections, notes: [] });
  }

  /** @throws as `add`. */
  async undrain(plan: DiskPlan): Promise<void> {
    this.#check(plan, await this.planUndrain(plan.diskId));
    await this.#setState(plan.diskId, 'active');
  }

  /**
   * The disk leaves for good; nobody waits for it any more. `acceptLoss`: also if volumes have
   * their last copy on it, for a disk that is gone for ever. It never overrules the need to drain a
   * disk that answers.
   */
  async planRetire(diskId: string, { acceptLoss = false } = {}): Promise<DiskPlan> {
    const link = this.#link(diskId);
    const answers = link.inUse && link.silentSinceMs === undefined;
    const objections: string[] = [];
    const notes: string[] = [];
    if (link.state === 'retired') objections.push('It was retired already.');
    const needed = this.#neededOn(link);
    const last = this.#lastCopiesOn(link);
    if (answers && needed.length > 0) {
      objections.push(`${counted(needed.length)} on it ${are(needed)} needed: drain it first.`);
    }
    if (last.length > 0) {
      const what = `${counted(last.length)} (${named(last)}) ${last.length === 1 ? 'has' : 'have'} `
        + 'no whole copy anywhere else';
      if (acceptLoss && !answers) notes.push(`LOST: ${what}.`);
      else objections.push(`${what}.`);
    }
    const lastNotes = answers ? countLastNotes(link, this.#parts) : 0;
    if (lastNotes > 0) {
      const which = lastNotes === 1 ? '1 emptied volume has' : `${lastNotes} emptied volumes have`;
      objections.push(`It alone knows that ${which} left. The others are told soon: try again.`);
    }
    const parity = this.#parts.sets.parityOn(diskId);
    if (answers && parity > 0) {
      objections.push(`It holds parity of ${parity} erasure sets: drain it first.`);
    }
    const short = needed.length - last.length;
    if (!answers && short > 0) notes.push(`${counted(short)} will get a new copy elsewhere.`);
    return this.#plan({ action: 'retire', diskId, volumes: needed, objections, notes });
  }

  /** @throws as `add`. */
  async retire(plan: DiskPlan, options: { acceptLoss?: boolean } = {}): Promise<void> {
    this.#check(plan, await this.planRetire(plan.diskId, options));
    await this.#setState(plan.diskId, 'retired');
  }

  /** The disk stands elsewhere, and the register and its files say so already. It was away: what is
   *  on it is compared before it counts, and whoever reads from it opens its files anew. */
  noteMoved(diskId: string, { labels, remote }: Pick<VolumeDisk, 'labels' | 'remote'>): void {
    const link = this.#link(diskId);
    link.labels = labels;
    link.remote = remote ?? false;
    link.noteTaken();
    link.noteSilence(); // Until it has answered there.
    for (const copies of this.#parts.table.all()) {
      if (!copies.states.has(diskId)) continue;
      copies.demote(diskId, 'unchecked');
      copies.noteReplaced(diskId);
    }
  }

  /** The state in the register first: a crash between the two is right at the next start. */
  async #setState(diskId: string, state: DiskState): Promise<void> {
    await this.#parts.register.setState(diskId, state);
    const link = this.#link(diskId);
    link.state = state;
    if (state !== 'retired') return;
    for (const copies of this.#parts.table.all()) copies.states.delete(diskId);
  }

  async #overview({ id, labels, where, state }: RegisteredDisk): Promise<DiskOverview> {
    const link = this.#parts.links.find((one) => one.id === id);
    const answers = link !== undefined && link.inUse && link.silentSinceMs === undefined;
    const space = answers ? await link.measure() : undefined;
    const sinceMs = link?.silentSinceMs;
    const on = this.#parts.table.all().filter(({ states }) => states.has(id));
    return {
      id, labels, where, state: link?.state ?? state, answers,
      silentMs: sinceMs === undefined ? undefined : this.#parts.clock.monotonic() - sinceMs,
      refusal: link && this.#refusalOf(link),
      freeBytes: space?.freeBytes, totalBytes: space?.totalBytes,
      volumeCount: on.length, volumeBytes: sumBytes(on),
      neededCount: link === undefined ? 0 : this.#neededOn(link).length,
      parityCount: this.#parts.sets.parityOn(id),
    };
  }

  #refusalOf({ refusal }: DiskLink): DiskOverview['refusal'] {
    if (refusal === undefined || refusal.count < 2) return undefined; // Once is nothing.
    const { code, count, untilMs } = refusal;
    return { code, count, retryMs: Math.max(0, untilMs - this.#parts.clock.monotonic()) };
  }

  #link(diskId: string): DiskLink {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    if (link !== undefined) return link;
    const message = 'There is no such disk. See: holdfast disk list';
    throw new HoldfastError('not-found', OP, message, { facts: { diskId } });
  }

  #placementDisks(without: DiskLink): PlacementDisk[] {
    return this.#parts.links.filter((link) => link !== without && link.state !== 'retired')
      .map(({ id, labels, state, inUse, silentSinceMs }) => ({
        id, labels, state, answers: inUse && silentSinceMs === undefined, freeBytes: 0,
      }));
  }

  /** Volumes that would have too few copies without this disk. */
  #neededOn(link: DiskLink): VolumeCopies[] {
    const { table, policy } = this.#parts;
    const disks = this.#placementDisks(link);
    return table.all().filter((copies) => {
      const { counted: others, wanted: usual } = countCopies(copies, { disks, policy });
      const wanted = this.#parts.sets.keeps(copies.volumeId) ? 1 : usual;
      return copies.states.has(link.id) && others.length < wanted;
    });
  }

  /** Volumes of which no other disk that answers has a whole copy. */
  #lastCopiesOn(link: DiskLink): VolumeCopies[] {
    const { table, links } = this.#parts;
    const others = links.filter((one) =>
      one !== link && one.inUse && one.silentSinceMs === undefined);
    return table.all().filter(({ states, list, volumeId }) =>
      (states.has(link.id) || list.diskIds.includes(link.id))
      && !this.#parts.sets.isDecodableWithout(link.id, volumeId)
      && !others.some(({ id }) => states.get(id) === 'good'));
  }

  /** Would every one of them find a place, if they were copied one after the other? */
  async #withoutPlace(volumes: readonly VolumeCopies[], link: DiskLink): Promise<string[]> {
    const { files, policy, roomBytes } = this.#parts;
    const disks = (await files.placementDisks()).filter(({ id }) => id !== link.id);
    const free = new Map(disks.map(({ id, freeBytes }) => [id, freeBytes]));
    const reasons = new Map<string, number>();
    for (const copies of volumes) {
      const now = disks.map((disk) => ({ ...disk, freeBytes: free.get(disk.id) ?? 0 }));
      const { counted: holders } = countCopies(copies, { disks: now, policy });
      const placement = place({
        volumeId: copies.volumeId, copies: 1, domain: policy.domain, disks: now, holders,
        roomBytes: roomBytes + copies.sizeBytes,
      });
      if (placement.placed) {
        const [target] = placement.diskIds as [string];
        free.set(target, (free.get(target) ?? 0) - copies.sizeBytes);
      } else reasons.set(placement.reason, (reasons.get(placement.reason) ?? 0) + 1);
    }
    return [...reasons].map(([reason, count]) =>
      `${counted(count)} would have no place: ${reason}.`);
  }

  #plan({ volumes, ...plan }: Omit<DiskPlan, 'volumeCount' | 'volumeBytes' | 'etag'> & {
    volumes: readonly VolumeCopies[];
  }): DiskPlan {
    const counts = { volumeCount: volumes.length, volumeBytes: sumBytes(volumes) };
    const { generation } = this.#parts.register;
    const ids = volumes.map(({ volumeId }) => volumeId);
    const seen = JSON.stringify([plan.action, plan.diskId, plan.objections, ids, generation]);
    return { ...plan, ...counts, etag: hash('sha256', seen).slice(0, 16) };
  }

  #check(seen: DiskPlan, now: DiskPlan): void {
    const facts = { diskId: now.diskId };
    const [objection] = now.objections;
    if (objection !== undefined) {
      throw new HoldfastError('conflict', OP, objection, { code: 'disk-plan-refused', facts });
    }
    if (seen.etag === now.etag) return;
    const message = 'Things have changed since this was planned. Look at the new plan first.';
    throw new HoldfastError('conflict', OP, message, { code: 'disk-plan-changed', facts });
  }
}

function sumBytes(volumes: readonly VolumeCopies[]): number {
  return volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function counted(count: number): string {
  return count === 1 ? '1 volume' : `${count} volumes`;
}

function are(volumes: readonly unknown[]): string {
  return volumes.length === 1 ? 'is' : 'are';
}

function named(volumes: readonly VolumeCopies[]): string {
  const ids = volumes.slice(0, NAMED_MAX).map(({ volumeId }) => volumeId).join(', ');
  return volumes.length > NAMED_MAX ? `${ids}, …` : ids;
}
