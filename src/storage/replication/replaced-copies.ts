/**
 * Copies that repair has put into the trash of their disks: what was damaged, fell behind, or was
 * one too many. They go once nobody can need them, one by one, when a collector says so, which
 * writes down why before. What erasure sets have put there is theirs (sets/set-trash.ts).
 */
import { errorCode } from '../backends/local/volume-files.ts';
import { parseTrashName } from '../backends/local/volume.ts';
import { firstFault, withCopy } from './copy-examination.ts';
import type { CopyTable, VolumeCopies } from './copy-table.ts';
import { identify } from './copy-volume.ts';
import type { DiskLink } from './disk-link.ts';
import { isTrashName, trashedMs, volumeIdOf, volumeName } from './file-names.ts';
import { isNoted } from './gone-notes.ts';
import type { Pace } from './pace.ts';
import { countCopies } from './repair-plan.ts';
import type { ReplicatedVolumeFiles } from './replicated-volume-files.ts';
import { KEEP_TRASH_MS } from '../filer/filer-settings.ts';
import type { SetView } from './sets/set-view.ts';
import type { Clock } from '../../platform/index.ts';
import type { ReplicationPolicy } from './volume-disk.ts';

/** A disk that has refused is left alone for so long. */
const ASK_AGAIN_MS = 7 * 24 * 60 * 60 * 1000;

export interface ReplacedCopy {
  readonly volumeId: number;
  readonly diskId: string;
  /** Of the file in the trash. */
  readonly name: string;
}

/** `copied`: as many whole copies as there should be were read just now. `left`: its volume is gone
 *  for good, with a note, and lies in no trash. */
export type ErasureReason = 'copied' | 'left';

export interface ReplacedParts {
  readonly links: readonly DiskLink[];
  readonly table: CopyTable;
  readonly files: ReplicatedVolumeFiles;
  readonly policy: ReplicationPolicy;
  readonly sets: SetView;
  readonly clock: Clock;
  readonly pace: Pace;
}

export class ReplacedCopies {
  readonly #parts: ReplacedParts;
  /** When each disk has refused to erase what: at most what is in the trash. */
  readonly #refused = new Map<string, number>();

  constructor(parts: ReplacedParts) {
    this.#parts = parts;
  }

  /** What has been in the trash for 14 days, by the clock of this program, on disks that answer. */
  async listDue(): Promise<ReplacedCopy[]> {
    const { links, clock, sets } = this.#parts;
    const due: ReplacedCopy[] = [];
    const nowMs = clock.now();
    for (const [key, sinceMs] of this.#refused) {
      if (nowMs - sinceMs >= ASK_AGAIN_MS) this.#refused.delete(key);
    }
    for (const link of links.filter((one) => answers(one) && one.takesWrites)) {
      for (const name of await namesOn(link)) {
        const volumeId = volumeIdOf(name);
        if (volumeId === undefined || !isTrashName(name) || sets.has(volumeId)) continue;
        if (nowMs - trashedMs(name) < KEEP_TRASH_MS) continue;
        if (this.#refused.has(`${link.id} ${name}`)) continue;
        due.push({ volumeId, diskId: link.id, name });
      }
    }
    return due;
  }

  /** Why nobody can need it; undefined: perhaps somebody does. Reads the copies that count, whole.
   *  While a disk is away nobody can tell. */
  async justify({ volumeId }: ReplacedCopy): Promise<ErasureReason | undefined> {
    const { links, table, sets } = this.#parts;
    const staying = links.filter(({ state }) => state !== 'retired');
    if (!staying.every(answers) || sets.has(volumeId)) return undefined;
    const copies = table.find(volumeId);
    if (copies !== undefined) return await this.#areWhole(copies) ? 'copied' : undefined;
    let isNotedSomewhere = false;
    for (const link of staying) {
      const names = await namesOn(link);
      const isThere = names.some((name) => name === volumeName(volumeId)
        || parseTrashName(name) === volumeId);
      if (isThere) return undefined;
      isNotedSomewhere ||= await isNoted(link, volumeId);
    }
    return isNotedSomewhere ? 'left' : undefined;
  }

  /** Durable once resolved. False: the disk does not do it, or holds it longer by its own clock. It
   *  is not due again for some days then. */
  async erase({ diskId, name }: ReplacedCopy): Promise<boolean> {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    if (link === undefined || !isTrashName(name)) return false;
    try {
      await link.call(0, (files) => files.remove(name));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        this.#refused.set(`${diskId} ${name}`, this.#parts.clock.now());
        return false;
      }
    }
    await link.call(0, (files) => files.syncFolder());
    return true;
  }

  /** All copies that there are, and as many as there should be, the same from end to end. */
  async #areWhole(copies: VolumeCopies): Promise<boolean> {
    const { policy, files, links, pace } = this.#parts;
    const { volumeId, states, writers } = copies;
    if (writers > 0 || copies.good.length !== states.size) return false;
    const disks = await files.placementDisks();
    const { counted, wanted } = countCopies(copies, { disks, policy });
    if (counted.length < wanted) return false;
    const sources = links.filter(({ id }) => counted.includes(id));
    const identity = await identify({ volumeId, sources, known: copies });
    for (const link of sources) {
      await pace.take(identity.sizeBytes);
      const fault = await withCopy(link, volumeName(volumeId), (file) =>
        firstFault(file, identity));
      if (fault !== undefined) return false;
    }
    return true;
  }
}

function answers({ inUse, silentSinceMs }: DiskLink): boolean {
  return inUse && silentSinceMs === undefined;
}

function namesOn(link: DiskLink): Promise<string[]> {
  return link.call(0, (files) => files.list());
}
