/**
 * Brings every volume back to its full number of copies, without being asked.
 *
 * Nothing is queued: what a volume needs is worked out anew from what is known of its copies, right
 * before each step. So a repair whose reason has gone away is not done, and a restart forgets
 * nothing.
 */
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { removeIfThere, replaceSmall } from './checked-json.ts';
import { compareCopy } from './compare-copy.ts';
import { isFooterSound } from './footer-check.ts';
import type { CopyFinding, OnCopyFinding } from './copy-findings.ts';
import { encodeCopyList } from './copy-list.ts';
import { noteFullDisk } from './copy-surroundings.ts';
import type { CopyTable, VolumeCopies } from './copy-table.ts';
import { copyVolume, isAboutSources, letGo } from './copy-volume.ts';
import type { DiskLink } from './disk-link.ts';
import { DiskWatch } from './disk-watch.ts';
import { copyListName, parseCopyDraft, volumeName } from './file-names.ts';
import { spreadGoneNotes } from './gone-notes.ts';
import { isLeftover, letGoLeftover } from './leftover-copy.ts';
import { Pace } from './pace.ts';
import type { PlacementDisk } from './placement.ts';
import { RepairMeter, type DamagedVolume, type RepairStatus } from './repair-meter.ts';
import { countCopies, planRepair, type RepairStep } from './repair-plan.ts';
import {
  RepairProposals, type ProposalOutcome, type RepairProposal,
} from './repair-proposals.ts';
import { RepairRest } from './repair-rest.ts';
import type { ReplicatedVolumeFiles } from './replicated-volume-files.ts';
import type { ErasureSets } from './sets/erasure-sets.ts';
import type { ReplicationPolicy } from './volume-disk.ts';

/** Steps for one volume in one sweep: close, compare and copy for each of its copies, let go. */
const STEPS_MAX = 24;
export const SWEEP_EVERY_MS = 5000;
/** A sweep that copies for longer looks at the disks again, and begins anew with the neediest. */
const LOOK_AGAIN_MS = 60_000;

type CopyStep = RepairStep & { readonly act: 'copy' };

export interface RepairOptions {
  readonly clock: Clock;
  /** Repairs together move at most so many bytes; `Infinity` for no limit. */
  readonly bytesPerSecond: number;
  /** A disk that does not answer for so long is taken for lost. */
  readonly missingAfterMs: number;
  /** Besides the volume itself, on a disk that gets a copy. */
  readonly roomBytes: number;
  readonly policy: ReplicationPolicy;
  readonly onFinding: OnCopyFinding;
  /** Ends the writing of volumes that are `degraded`. */
  readonly endDegraded?: () => Promise<void>;
  /** A disk has gone missing, or is back: for whoever keeps the register. */
  readonly onDiskState?: (link: DiskLink) => void;
}

export interface RepairParts {
  readonly links: readonly DiskLink[];
  readonly table: CopyTable;
  readonly files: ReplicatedVolumeFiles;
}

export class RepairWorker {
  readonly #options: RepairOptions;
  readonly #parts: RepairParts;
  readonly #watch: DiskWatch;
  readonly #pace: Pace;
  readonly #meter: RepairMeter;
  readonly #rest: RepairRest;
  readonly #proposals: RepairProposals;
  /** Volumes that cannot be repaired at the moment, and why. */
  readonly #blocked = new Map<number, string>();
  #endDegraded: (() => Promise<void>) | undefined;
  #sets: ErasureSets | undefined;
  #sweeping: Promise<void> | undefined;
  #stopTimer: () => void = () => undefined;
  #stopped = false;

  constructor(options: RepairOptions, parts: RepairParts) {
    const { clock, missingAfterMs, onFinding, onDiskState } = options;
    const { links, table } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#endDegraded = options.endDegraded;
    this.#pace = new Pace(clock, options.bytesPerSecond);
    this.#meter = new RepairMeter(clock);
    this.#rest = new RepairRest(clock);
    this.#proposals = new RepairProposals({ links, table, pace: this.#pace, clock, onFinding });
    const onState = (link: DiskLink): void => onDiskState?.(link);
    this.#watch = new DiskWatch({ links, table, clock, missingAfterMs, onFinding, onState });
  }

  /** The store above is opened after this worker is made. */
  set endDegraded(act: () => Promise<void>) {
    this.#endDegraded = act;
  }

  /** Volumes of erasure sets are kept by these, at the same pace. */
  set sets(sets: ErasureSets) {
    this.#sets = sets;
  }

  get pace(): Pace {
    return this.#pace;
  }

  set bytesPerSecond(value: number) {
    this.#pace.bytesPerSecond = value;
  }

  /** Sweeps now and again and again, until it is stopped. */
  start(): void {
    const next = (): void => {
      if (this.#stopped) return;
      this.#stopTimer = this.#options.clock.after(SWEEP_EVERY_MS, () => {
        void this.sweep().finally(next);
      });
    };
    void this.sweep().finally(next);
  }

  /** Resolves when nothing is written any more. A copy in the making is gone on with next time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopTimer();
    await this.#sets?.stop();
    await this.#sweeping;
    await this.#proposals.drain();
  }

  /**
   * For whoever reads copies by himself and finds one to be wrong: a verifier, or the store when no
   * copy gave the right bytes. Nothing is believed: the copy is read again, whole, at the pace of
   * repairs, and only if it is wrong indeed does it count no more. The next sweep makes it anew
   * from others and moves it to its disk's trash; nothing is unlinked. Bytes that belong to no
   * batch and no footer are not looked at. Calm when repeated.
   * @throws busy: too many are waiting.
   */
  propose(proposal: RepairProposal): Promise<ProposalOutcome> {
    return this.#proposals.propose(proposal);
  }

  /** Looks at all disks, then at all volumes, those with the fewest copies first. Never rejects;
   *  calls that come meanwhile share it. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** What waits, what moves, how long it will take. Cheap. */
  status(): RepairStatus {
    const waiting = this.#needy(this.#disksNow());
    let toDoBytes = 0;
    let movableBytes = 0;
    for (const { copies, missing } of waiting) {
      const bytes = copies.sizeBytes * missing;
      toDoBytes += bytes;
      if (!this.#blocked.has(copies.volumeId)) movableBytes += bytes;
    }
    return this.#meter.status({
      volumesWaiting: waiting.length, toDoBytes, movableBytes,
      bytesPerSecondMax: this.#pace.bytesPerSecond,
      blocked: [...this.#blocked].map(([volumeId, reason]) => ({ volumeId, reason })),
      damaged: waiting.flatMap(({ copies }) => this.#damageOf(copies)),
    });
  }

  /** While one that is away is expected back with a whole copy, it counts as there. */
  #damageOf({ volumeId, states, list }: VolumeCopies): DamagedVolume[] {
    const reason = this.#rest.failureOf(volumeId);
    if ([...states.values()].includes('good') && reason === undefined) return [];
    const isThere = ({ inUse, silentSinceMs }: DiskLink): boolean =>
      inUse && silentSinceMs === undefined;
    const concerned = this.#parts.links.filter(({ id, state }) => state !== 'retired'
      && (states.has(id) || list.diskIds.includes(id)));
    const diskIds = concerned.filter((link) => isThere(link) && states.has(link.id));
    const awayIds = concerned.filter((link) => !isThere(link));
    const idsOf = (links: readonly DiskLink[]): string[] => links.map(({ id }) => id);
    return [{ volumeId, diskIds: idsOf(diskIds), awayIds: idsOf(awayIds), reason }];
  }

  async #sweep(): Promise<void> {
    let isDone = false;
    while (!isDone && !this.#stopped) {
      await this.#watch.look();
      for (const link of this.#parts.links) {
        if (link.silentSinceMs !== undefined) this.#parts.files.noteOutOfReach(link);
      }
      await this.#parts.files.list().catch(() => undefined); // What is where may have changed.
      const order = this.#needy(this.#disksNow(), true);
      this.#forgetOthers(order.map(({ copies }) => copies.volumeId));
      order.sort((a, b) => b.missing - a.missing || a.copies.volumeId - b.copies.volumeId);
      isDone = await this.#repairAll(order.map(({ copies }) => copies));
    }
    await this.#repairAll(await this.#checkFooters());
    await this.#letGoLeftovers();
    await this.#removeDrafts();
    await spreadGoneNotes(this.#parts, () => this.#stopped);
    await this.#sets?.sweep(this.#needy(this.#disksNow()).length > 0);
  }

  #forgetOthers(volumeIds: readonly number[]): void {
    const needy = new Set(volumeIds);
    for (const volumeId of this.#blocked.keys()) {
      if (!needy.has(volumeId)) this.#blocked.delete(volumeId);
    }
    this.#rest.keepOnly((volumeId) => this.#parts.table.find(volumeId) !== undefined);
  }

  /** False: it has taken so long that disks may have come and gone, and others may need it more. */
  async #repairAll(volumes: readonly VolumeCopies[]): Promise<boolean> {
    const endMs = this.#options.clock.monotonic() + LOOK_AGAIN_MS;
    for (const copies of volumes) {
      if (this.#stopped) return true;
      if (this.#options.clock.monotonic() > endMs) return false;
      await this.#repair(copies);
    }
    return true;
  }

  /** A power cut may have torn a footer that was never synced, and left what tells that there is
   *  one. Nobody would notice before the copy is needed. Once for each copy after each start. */
  async #checkFooters(): Promise<VolumeCopies[]> {
    const damaged: VolumeCopies[] = [];
    for (const copies of this.#parts.table.all()) {
      for (const diskId of copies.unproven) {
        if (this.#stopped) return damaged;
        const sound = await isFooterSound(copies, this.#link(diskId), this.#pace);
        if (sound === undefined) continue; // The next sweep asks again.
        copies.unproven.delete(diskId);
        if (sound) continue;
        this.#parts.files.reportDamage({ volumeId: copies.volumeId, diskId });
        damaged.push(copies);
      }
    }
    return damaged;
  }

  /** Copies of volumes that have left while the disk was away. */
  async #letGoLeftovers(): Promise<void> {
    const { table, files, links } = this.#parts;
    for (const [link, volumeIds] of this.#watch.strangers) {
      for (const volumeId of volumeIds) {
        if (this.#stopped || !link.takesWrites || link.silentSinceMs !== undefined) break;
        if (table.find(volumeId) !== undefined) volumeIds.delete(volumeId);
        const others = links.filter((one) =>
          one !== link && one.inUse && one.silentSinceMs === undefined);
        if (!volumeIds.has(volumeId) || !(await isLeftover(volumeId, link, others))) continue;
        const { clock, onFinding } = this.#options;
        await letGoLeftover({ link, volumeId }, clock.now(), onFinding).then(() => {
          volumeIds.delete(volumeId);
          files.noteFile(link, volumeName(volumeId), false);
        }, () => undefined); // The next sweep tries again.
      }
    }
  }

  /** Copies that were begun and are not needed any more: another disk has been chosen, or the
   *  reason has gone away. */
  async #removeDrafts(): Promise<void> {
    const needy = new Set(this.#needy(this.#disksNow()).map(({ copies }) => copies.volumeId));
    for (const link of this.#parts.links.filter((one) => one.takesWrites)) {
      if (link.silentSinceMs !== undefined) continue;
      for (const name of this.#parts.files.namesOn(link)) {
        const volumeId = parseCopyDraft(name);
        if (volumeId === undefined || needy.has(volumeId)) continue;
        await link.call(0, (files) => removeIfThere(files, name)).then(
          () => this.#parts.files.noteFile(link, name, false),
          () => undefined, // The next sweep tries again.
        );
      }
    }
  }

  #disksNow(): PlacementDisk[] {
    const links = this.#parts.links.filter(({ state }) => state !== 'retired');
    return links.map(({ id, labels, state, inUse, silentSinceMs }) => ({
      id, labels, state, answers: inUse && silentSinceMs === undefined, freeBytes: 0,
    }));
  }

  /** Volumes with too few copies; with `all`, also those with something left over. */
  #needy(disks: readonly PlacementDisk[], all = false) {
    const { policy } = this.#options;
    return this.#parts.table.all().flatMap((copies) => {
      if (this.#sets?.keeps(copies.volumeId) === true) return [];
      const { counted, wanted } = countCopies(copies, { disks, policy });
      const missing = Math.max(0, wanted - counted.length);
      const extra = copies.states.size > counted.length;
      return missing > 0 || (all && extra) ? [{ copies, missing }] : [];
    });
  }

  async #repair(copies: VolumeCopies): Promise<void> {
    const { volumeId, list } = copies;
    this.#blocked.delete(volumeId);
    for (let steps = 0; steps < STEPS_MAX && !this.#stopped; steps++) {
      if (this.#parts.table.find(volumeId) !== copies) return; // It was removed meanwhile.
      if (this.#sets?.keeps(volumeId) === true) return;
      let step: RepairStep | undefined;
      const from = this.#startingPoint(copies);
      try {
        step = await this.#plan(copies);
        if (step.act === 'nothing') return this.#rest.forget(volumeId);
        const reason = step.act === 'wait' ? step.reason
          : step.act === 'copy' ? this.#rest.reasonToWait(volumeId, from) : undefined;
        if (reason !== undefined) {
          this.#blocked.set(volumeId, reason);
          return;
        }
        if (!(await this.#take(step, copies))) return;
        if (step.act === 'copy') this.#rest.forget(volumeId);
      } catch (error) {
        const detail = isKind(error, 'corrupt') ? error.message : errorCode(error);
        this.#blocked.set(volumeId, detail);
        const isHopeless = step?.act === 'copy' && isKind(error, 'corrupt');
        // What was found on the way is part of where the next try would start.
        if (isHopeless) this.#rest.noteFailure(volumeId, this.#startingPoint(copies), detail);
        const code = errorCode(error);
        this.#report({ kind: 'copy-not-made', volumeId, code, detail: list.diskIds.join(' ') });
        return;
      }
    }
  }

  /** What a copy can be made from, as far as known. */
  #startingPoint({ states }: VolumeCopies): string {
    const there = this.#parts.links.filter(({ id, inUse, silentSinceMs }) =>
      states.has(id) && inUse && silentSinceMs === undefined);
    return there.map(({ id }) => `${id} ${states.get(id)}`).join();
  }

  async #plan(copies: VolumeCopies): Promise<RepairStep> {
    const disks = await this.#parts.files.placementDisks();
    const { policy, roomBytes } = this.#options;
    const { volumeId, list, states, sizeBytes, isMarkExact } = copies;
    const beingWritten = copies.writers > 0;
    const subject = { volumeId, list, states, sizeBytes, isMarkExact, beingWritten };
    return planRepair(subject, { disks, policy, roomBytes });
  }

  /** False: nothing more to do for this volume now. */
  async #take(step: RepairStep, copies: VolumeCopies): Promise<boolean> {
    switch (step.act) {
      case 'close':
        copies.isToEnd = true;
        await this.#endDegraded?.();
        return copies.writers === 0;
      case 'compare':
        return this.#compare(copies, this.#link(step.diskId));
      case 'copy':
        return this.#copyOrBlame(copies, step);
      case 'let-go':
        return this.#letGo(copies, this.#link(step.diskId));
      default:
        return false;
    }
  }

  async #compare(copies: VolumeCopies, link: DiskLink): Promise<boolean> {
    const { volumeId } = copies;
    const sources = this.#parts.links.filter(({ id, inUse, silentSinceMs }) =>
      copies.isGood(id) && inUse && silentSinceMs === undefined);
    const state = await compareCopy({
      volumeId, link, sources, pace: this.#pace, known: copies,
    });
    copies.states.set(link.id, state);
    if (state === 'good') copies.noteReplaced(link.id);
    if (state === 'differs') {
      this.#report({ kind: 'copies-differ', volumeId, diskId: link.id, code: 'after its return' });
    }
    return true;
  }

  /** A target that answers and refuses is not to stand in the way of another one. */
  async #copyOrBlame(copies: VolumeCopies, step: CopyStep): Promise<boolean> {
    const { volumeId } = copies;
    const target = this.#link(step.target);
    const others: { failed: boolean } = { failed: false };
    try {
      return await this.#copy(copies, step, others);
    } catch (error) {
      const isTargets = !isAboutSources(error) && !others.failed;
      if (!isTargets || target.silentSinceMs !== undefined) throw error;
      const code = errorCode(error);
      noteFullDisk(target, error);
      target.noteRefusal(code);
      this.#report({ kind: 'copy-not-made', volumeId, diskId: target.id, code });
      return true; // The next step is planned without it, unless that was the first time.
    }
  }

  async #copy(
    copies: VolumeCopies, step: CopyStep, others: { failed: boolean },
  ): Promise<boolean> {
    const sources = step.sources.map((id) => this.#link(id));
    const target = this.#link(step.target);
    const { volumeId } = copies;
    const { clock } = this.#options;
    const helpers = this.#parts.links.filter((link) => copies.states.get(link.id) === 'stale'
      && !sources.includes(link) && link.inUse && link.silentSinceMs === undefined);
    const done = await this.#meter.measure(copies, (onProgress) =>
      copyVolume({
        volumeId, sources, helpers, target, onProgress, known: copies, pace: this.#pace,
        stopped: () => this.#stopped,
        onBadSource: (link, offset, code) => {
          if (copies.demote(link.id, 'damaged')) {
            this.#report({ kind: 'copy-damaged', volumeId, diskId: link.id, offset, code });
          }
        },
        beforeNaming: () => this.#writeLists(copies, target).catch((error: unknown) => {
          others.failed = true;
          throw error;
        }),
      }, clock.now()));
    if (!done) return false;
    target.noteTaken();
    copies.states.set(target.id, 'good');
    copies.noteReplaced(target.id);
    this.#parts.files.noteFile(target, volumeName(volumeId), true);
    this.#report({ kind: 'copy-made', volumeId, diskId: target.id });
    return true;
  }

  /** The copies that count, and the new one, know of each other before the new one is there. */
  async #writeLists(copies: VolumeCopies, target: DiskLink): Promise<void> {
    const { policy } = this.#options;
    const { volumeId, list } = copies;
    const { counted } = countCopies(copies, { disks: this.#disksNow(), policy });
    const members = [...new Set([...counted, target.id])];
    const same = members.length === list.diskIds.length
      && members.every((id) => list.diskIds.includes(id));
    const isCurrent = same && list.generation > 0 && list.copies >= policy.copies;
    // A disk that came back empty has no list: alone it would not know of the others.
    if (isCurrent && this.#parts.files.namesOn(target).includes(copyListName(volumeId))) return;
    const { copies: count, acksMin } = policy;
    const next = { volumeId, generation: list.generation + 1, copies: count, acksMin };
    const bytes = encodeCopyList({ ...next, diskIds: members });
    for (const link of members.map((id) => this.#link(id))) {
      if (link !== target && !link.takesWrites) continue;
      await link.call(0, (files) => replaceSmall(files, copyListName(volumeId), bytes));
      this.#parts.files.noteFile(link, copyListName(volumeId), true);
    }
    copies.list = { ...next, diskIds: members };
  }

  /** The plan was made a moment ago from what is known; what is not known is asked here. */
  async #letGo(copies: VolumeCopies, link: DiskLink): Promise<boolean> {
    const { volumeId } = copies;
    const { clock, policy } = this.#options;
    const { counted, wanted } = countCopies(copies, { disks: this.#disksNow(), policy });
    for (const id of counted) {
      const names = await this.#link(id).call(0, (files) => files.list());
      if (!names.includes(volumeName(volumeId))) throw new Error('a copy that counts is not there');
    }
    if (counted.length < wanted || counted.includes(link.id)) return false;
    await letGo(link, volumeId, clock.now());
    copies.states.delete(link.id);
    copies.noteReplaced(link.id);
    this.#parts.files.noteFile(link, volumeName(volumeId), false);
    this.#report({ kind: 'copy-let-go', volumeId, diskId: link.id });
    return true;
  }

  #link(diskId: string): DiskLink {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    if (link === undefined) throw new Error('a disk that is not configured');
    return link;
  }

  #report(finding: CopyFinding): void {
    this.#options.onFinding(finding);
  }
}
