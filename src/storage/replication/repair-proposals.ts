import { HoldfastError, isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { compareCopy } from './compare-copy.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import type { CopyTable, VolumeCopies } from './copy-table.ts';
import { isAboutSources } from './copy-volume.ts';
import { SILENT_CODES, type DiskLink } from './disk-link.ts';
import type { Pace } from './pace.ts';

const OP = 'storage/RepairWorker.propose';
/** Each may read a whole volume. */
const WAITING_MAX = 64;
/** A volume that was found right is not read again so soon because somebody could not read it. */
const SOUND_FRESH_MS = 10 * 60_000;
const SOUND_MAX = 1024;

/** A copy that somebody has found to be wrong. */
export interface RepairProposal {
  readonly volumeId: number;
  /** Undefined: no copy gave the right bytes; all are looked at. */
  readonly diskId?: string | undefined;
}

/**
 * - `repairing`: it is wrong indeed, and is made anew by one of the next sweeps.
 * - `damaged`: it is wrong, and no other copy that can be read is right: nothing can be done by
 *   itself. `RepairStatus.damaged` names the volume from now on.
 * - `known`: it does not count any more: something is being done about it already.
 * - `sound`: it was read to the end, and is what it should be.
 * - `being-written`: it cannot be judged yet; propose it again later.
 * - `unreachable`: its disk does not answer.
 * - `absent`: there is no such copy.
 */
export type ProposalOutcome =
  'repairing' | 'damaged' | 'known' | 'sound' | 'being-written' | 'unreachable' | 'absent';

interface ProposalParts {
  readonly links: readonly DiskLink[];
  readonly table: CopyTable;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly onFinding: OnCopyFinding;
}

/** Looks at copies again before they are counted out: whoever proposes may be wrong, or late. */
export class RepairProposals {
  readonly #parts: ProposalParts;
  /** When volumes that nobody could read were found right, by their numbers. */
  readonly #soundMs = new Map<number, number>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ProposalParts) {
    this.#parts = parts;
  }

  /** One after the other. @throws busy: too many are waiting. */
  async propose(proposal: RepairProposal): Promise<ProposalOutcome> {
    if (this.#waiting >= WAITING_MAX) {
      const message = 'Too many copies wait for being looked at. Propose this one again later.';
      throw new HoldfastError('busy', OP, message, { facts: { waiting: this.#waiting } });
    }
    this.#waiting++;
    const judged = this.#last.then(() => this.#judge(proposal));
    this.#last = judged.catch(() => undefined);
    try {
      return await judged;
    } finally {
      this.#waiting--;
    }
  }

  /** Resolves when nothing is read any more. */
  async drain(): Promise<void> {
    await this.#last;
  }

  async #judge({ volumeId, diskId }: RepairProposal): Promise<ProposalOutcome> {
    const copies = this.#parts.table.find(volumeId);
    if (copies === undefined) return 'absent';
    if (copies.writers > 0) return 'being-written';
    if (diskId !== undefined) return this.#judgeCopy(copies, diskId);
    return this.#judgeAll(copies);
  }

  async #judgeAll(copies: VolumeCopies): Promise<ProposalOutcome> {
    const { volumeId } = copies;
    const nowMs = this.#parts.clock.monotonic();
    const soundMs = this.#soundMs.get(volumeId);
    if (soundMs !== undefined && nowMs - soundMs < SOUND_FRESH_MS) return 'sound';
    const suspects = copies.good;
    if (suspects.length === 0) return 'known';
    const outcomes: ProposalOutcome[] = [];
    for (const diskId of suspects) outcomes.push(await this.#judgeCopy(copies, diskId));
    const [worst] = (['damaged', 'repairing', 'unreachable'] as const).filter((one) =>
      outcomes.includes(one));
    if (worst !== undefined) return copies.good.length === 0 ? 'damaged' : worst;
    if (this.#soundMs.size >= SOUND_MAX) this.#soundMs.clear();
    this.#soundMs.set(volumeId, nowMs);
    return 'sound';
  }

  async #judgeCopy(copies: VolumeCopies, diskId: string): Promise<ProposalOutcome> {
    const { links, table } = this.#parts;
    if (!copies.isGood(diskId)) return copies.states.has(diskId) ? 'known' : 'absent';
    const link = links.find(({ id }) => id === diskId);
    if (link === undefined) return 'absent';
    if (!answers(link)) return 'unreachable';
    const version = copies.replacedCount(diskId);
    const fault = await this.#faultOf(copies, link);
    // Reading took its time: what was read may not be what is there now.
    if (table.find(copies.volumeId) !== copies) return 'absent';
    if (!copies.isGood(diskId) || copies.replacedCount(diskId) !== version) return 'known';
    if (fault === undefined) return 'sound';
    if (fault === 'unknown' || !answers(link)) return 'unreachable';
    copies.demote(diskId, 'damaged');
    const { volumeId } = copies;
    this.#parts.onFinding({ kind: 'copy-damaged', volumeId, diskId, code: fault.code });
    return copies.good.length === 0 ? 'damaged' : 'repairing';
  }

  /** Undefined: all of it is what it should be. */
  async #faultOf(
    copies: VolumeCopies, link: DiskLink,
  ): Promise<{ code: string } | 'unknown' | undefined> {
    const { links, pace } = this.#parts;
    const sources = links.filter((one) =>
      one !== link && copies.isGood(one.id) && answers(one));
    const { volumeId } = copies;
    try {
      const state = await compareCopy({ volumeId, link, sources, pace, known: copies });
      return state === 'good' ? undefined : { code: state };
    } catch (error) {
      // With no other copy to be held against, it is this one that ends too early.
      if (isKind(error, 'corrupt')) return { code: 'damaged' };
      const code = errorCode(error);
      return SILENT_CODES.has(code) || isAboutSources(error) ? 'unknown' : { code };
    }
  }
}

function answers({ inUse, silentSinceMs }: DiskLink): boolean {
  return inUse && silentSinceMs === undefined;
}
