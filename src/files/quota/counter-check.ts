/**
 * Looks after the figures by which quotas are judged: counts every space anew, one at a time with
 * a rest after each, and has put right what differs. A round ends when its budget is used up; the
 * next goes on from there, and begins anew behind the last space.
 */
import type { SpaceId, UserId } from '../../base/ids.ts';
import { isKind } from '../../base/errors.ts';
import { SPACES_LIMIT_MAX } from '../../metadata/index.ts';
import type { Instant, MetadataStore, RecountRecord } from '../../metadata/index.ts';

/** Whom the journal names when a space is put right. */
const NOBODY = '' as UserId;
/** Of one round. */
const SPACES_MAX = 5_000;
const FOLDERS_MAX = 1_000_000;

export interface HealedCounters extends RecountRecord {
  spaceId: SpaceId;
}

export interface CounterReport {
  spaceCount: number;
  folderCount: number;
  healedCount: number;
  /** False: the budget was used up before the last space. */
  isWhole: boolean;
}

export class CounterCheck {
  readonly #parts: {
    metadata: Pick<MetadataStore, 'listSpaces' | 'commit'>;
    now: () => Instant;
    /** Called after each space: how long work rests is up to who runs it. */
    pause: () => Promise<void>;
    /** Figures were wrong, and are right now. */
    onHealed: (healed: HealedCounters) => void;
  };
  /** The last space that was counted. */
  #after: SpaceId | undefined;

  constructor(parts: {
    metadata: Pick<MetadataStore, 'listSpaces' | 'commit'>;
    now: () => Instant;
    pause: () => Promise<void>;
    onHealed: (healed: HealedCounters) => void;
  }) {
    this.#parts = parts;
  }

  /** One round. @throws the signal's reason; busy, unavailable. */
  async run(signal?: AbortSignal): Promise<CounterReport> {
    const report = { spaceCount: 0, folderCount: 0, healedCount: 0, isWhole: false };
    for (;;) {
      const spaces = await this.#parts.metadata.listSpaces(SPACES_LIMIT_MAX, this.#after);
      for (const { id } of spaces) {
        signal?.throwIfAborted();
        if (report.spaceCount >= SPACES_MAX || report.folderCount >= FOLDERS_MAX) return report;
        const found = await this.#count(id);
        this.#after = id;
        report.spaceCount += 1;
        report.folderCount += found?.folderCount ?? 0;
        report.healedCount += found?.healedCount ?? 0;
        await this.#parts.pause();
      }
      if (spaces.length > 0) continue;
      this.#after = undefined;
      return { ...report, isWhole: true };
    }
  }

  async #count(spaceId: SpaceId): Promise<RecountRecord | undefined> {
    const { metadata, now, onHealed } = this.#parts;
    const actor = { user: NOBODY, device: '', at: now(), lockTokens: [] };
    try {
      const { recount } = await metadata.commit({ op: 'recount', spaceId, actor });
      if (recount !== undefined && recount.healedCount > 0) onHealed({ ...recount, spaceId });
      return recount;
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined; // It has gone meanwhile.
      throw error;
    }
  }
}
