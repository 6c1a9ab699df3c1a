/**
 * Forgets what the policy says need not be kept: trash that is old enough, the past before the
 * same day, versions that are thinned out, and what quarantines held that were undone. What
 * referred to content is gone then; garbage collection gives its room back.
 *
 * A round works in slices with a pause after each, and ends when its budget is used up; the next
 * round goes on from there. So people who work do not notice it, however much there is to forget.
 */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import {
  PURGE_ROWS_MAX, SPACES_LIMIT_MAX, VERSIONS_DROPPED_MAX, VERSION_KEYS_LIMIT_MAX,
} from '../../../metadata/index.ts';
import type { Instant, MetadataStore, SpaceRecord, VersionKey } from '../../../metadata/index.ts';
import { forgetUndone } from '../../brake/forget-undone.ts';
import { RetentionPolicies } from './retention-policies.ts';
import type { RetentionPolicy } from './retention-policies.ts';
import { DAY_MS, versionsToDrop } from './thinning.ts';

export interface RetentionParts {
  metadata: MetadataStore;
  /** For spaces and tenants without rules of their own. */
  policy: RetentionPolicy;
  now: () => Instant;
  /** Called after each slice: how long work rests is up to who runs it. */
  pause: () => Promise<void>;
}

export interface RetentionReport {
  spaceCount: number;
  /** Rows of the trash, of the past, and of what was held. */
  rowCount: number;
  versionCount: number;
  /** False: the budget was used up before all was done. */
  isWhole: boolean;
}

/** Slices of one round: about 500,000 rows. */
const SLICES_MAX = 500;
/** Versions of one file that are judged together. */
const VERSIONS_TOGETHER_MAX = 10_000;

export class RetentionJob {
  readonly #parts: RetentionParts;
  readonly #policies: RetentionPolicies;
  /** How far the look at versions has come, per space; no entry: it begins anew. */
  readonly #cursors = new Map<SpaceId, { nodeId: NodeId; contentRev: number }>();
  #slicesLeft = 0;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#policies = new RetentionPolicies({ metadata: parts.metadata, settings: parts.policy });
  }

  /** One round over all spaces. @throws the signal's reason; busy, unavailable. */
  async run(signal?: AbortSignal): Promise<RetentionReport> {
    const { metadata } = this.#parts;
    const report = { spaceCount: 0, rowCount: 0, versionCount: 0, isWhole: true };
    this.#slicesLeft = SLICES_MAX;
    for (let after: SpaceId | undefined; ;) {
      const spaces = await metadata.listSpaces(SPACES_LIMIT_MAX, after);
      for (const space of spaces) {
        report.spaceCount += 1;
        report.rowCount += await this.#purge(space, signal);
        report.versionCount += await this.#thin(space, signal);
        if (this.#slicesLeft <= 0) return { ...report, isWhole: false };
      }
      after = spaces.at(-1)?.id;
      if (after === undefined) break;
    }
    report.rowCount += await this.#forgetUndone(signal);
    return { ...report, isWhole: this.#slicesLeft > 0 };
  }

  /** What a quarantine held is kept after an undo as long as what was deleted. */
  async #forgetUndone(signal: AbortSignal | undefined): Promise<number> {
    const { metadata, now } = this.#parts;
    return forgetUndone({
      metadata, takeSlice: () => this.#takeSlice(signal),
      keepSince: async (spaceId) => {
        const { trashKeepDays } = await this.#policies.of(await metadata.getSpace(spaceId));
        return trashKeepDays === 0 ? undefined : now() - trashKeepDays * DAY_MS;
      },
    });
  }

  async #takeSlice(signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#slicesLeft <= 0) return false;
    this.#slicesLeft -= 1;
    await this.#parts.pause();
    return true;
  }

  async #revBefore(spaceId: SpaceId, days: number): Promise<number> {
    if (days === 0) return 0;
    return this.#parts.metadata.revisionAt(spaceId, this.#parts.now() - days * DAY_MS);
  }

  /** The policy is read for each slice: whoever has just lengthened it is obeyed. */
  async #purge(space: SpaceRecord, signal: AbortSignal | undefined): Promise<number> {
    const { metadata } = this.#parts;
    const { id: spaceId } = space;
    let rowCount = 0;
    for (;;) {
      const policy = await this.#policies.of(space);
      const floorRev = await this.#revBefore(spaceId, policy.keepAllDays);
      const trashToRev = await this.#revBefore(spaceId, policy.trashKeepDays);
      if (floorRev === 0 && trashToRev === 0) return rowCount;
      const { count } = await metadata.commit({
        op: 'purge-slice', spaceId, floorRev, trashToRev, rowsMax: PURGE_ROWS_MAX,
      });
      rowCount += count;
      if (count === 0 || !await this.#takeSlice(signal)) return rowCount;
    }
  }

  async #thin(space: SpaceRecord, signal: AbortSignal | undefined): Promise<number> {
    const { metadata, now } = this.#parts;
    const { id: spaceId } = space;
    let dropped = 0;
    let waiting: VersionKey[] = [];
    for (;;) {
      const policy = await this.#policies.of(space);
      if (policy.keepAllDays === 0) return dropped;
      const page = await metadata.listVersionKeys(
        spaceId, VERSION_KEYS_LIMIT_MAX, this.#cursors.get(spaceId),
      );
      const isEnd = page.length < VERSION_KEYS_LIMIT_MAX;
      const { whole, rest } = byNode([...waiting, ...page], isEnd);
      waiting = rest;
      const gone = whole.flatMap((versions) => versionsToDrop(versions, policy, now()));
      for (let at = 0; at < gone.length; at += VERSIONS_DROPPED_MAX) {
        const versions = gone.slice(at, at + VERSIONS_DROPPED_MAX);
        const { count } = await metadata.commit({ op: 'drop-versions', spaceId, versions });
        dropped += count;
      }
      this.#note(spaceId, isEnd ? undefined : page.at(-1));
      if (isEnd) return dropped;
      if (!await this.#takeSlice(signal)) {
        // The file in hand is looked at from its first version again.
        const [first] = waiting;
        if (first !== undefined) this.#note(spaceId, { ...first, contentRev: 0 });
        return dropped;
      }
    }
  }

  #note(
    spaceId: SpaceId, cursor: { nodeId: NodeId; contentRev: number } | undefined,
  ): void {
    if (cursor === undefined) this.#cursors.delete(spaceId);
    else this.#cursors.set(spaceId, { nodeId: cursor.nodeId, contentRev: cursor.contentRev });
  }
}

/** `rest`: the last file, of which there may be more versions on the next page. */
function byNode(
  keys: readonly VersionKey[], isEnd: boolean,
): { whole: VersionKey[][]; rest: VersionKey[] } {
  const groups: VersionKey[][] = [];
  for (const key of keys) {
    const last = groups.at(-1);
    if (last?.[0]?.nodeId === key.nodeId) last.push(key);
    else groups.push([key]);
  }
  const last = groups.at(-1);
  if (isEnd || last === undefined || last.length >= VERSIONS_TOGETHER_MAX) {
    return { whole: groups, rest: [] };
  }
  return { whole: groups.slice(0, -1), rest: last };
}
