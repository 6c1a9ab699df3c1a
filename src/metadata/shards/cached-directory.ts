/**
 * A directory of shards with a copy at hand: where a tenant is has to be known with every request,
 * and must be known while the directory cannot be reached.
 *
 * The copy is looked after about every second, and at once when a shard says that a tenant is not
 * there any more. It is served however old it is: what it says may be wrong only of a tenant that
 * was moved meanwhile, and the shard that it was moved from says so to whoever writes. To whoever
 * reads it is sure for a while (MAP_SURE_MS); then see `sure-answers.ts`.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import { ShardMap } from './shard-map.ts';
import { directoryAway } from './shard-refusals.ts';
import type {
  DirectoryView, NewShard, PlaceMove, ShardDirectory, ShardRecord, ShardState, TenantPlace,
} from './shard-directory.ts';

export const REFRESH_MS = 1_000;
/** For so long after the map was true what the shards that it names say is the truth: nobody writes
 *  to a shard that a tenant has left before twice that time is over. */
export const MAP_SURE_MS = 1_500;
/** Clocks that drift apart by more than this were set, or the machine was asleep. */
const CLOCKS_APART_MS = 500;

/** What is known of the directory when it cannot be reached at the start. */
export interface DirectoryCopy {
  /** undefined: nothing was ever kept. */
  read(): Promise<{ view: DirectoryView; at: number } | undefined>;
  write(view: DirectoryView): Promise<void>;
}

export interface CachedDirectoryOptions {
  source: ShardDirectory;
  clock: Clock;
  /** Whether others change it too; else nobody has to look. */
  isShared: boolean;
  copy?: DirectoryCopy;
  /** Told when it cannot be reached, and when the copy cannot be kept. */
  onTrouble?: (error: unknown) => void;
}

export interface DirectoryStanding {
  rev: number;
  /** Since it was last known to be true. */
  ageMs: number;
  isReachable: boolean;
}

export class CachedDirectory implements ShardDirectory {
  readonly #options: CachedDirectoryOptions;
  #map: ShardMap;
  /** When the map was last known to be true, by the clock that never runs backwards. */
  #trueAt: number;
  /** The other clock less that one, at that time. */
  #clocksApart: number;
  #isReachable: boolean;
  #refreshing: Promise<boolean> | undefined;
  #cancel = (): void => undefined;
  #isClosed = false;

  private constructor(
    options: CachedDirectoryOptions, view: DirectoryView, ageMs: number | undefined,
  ) {
    this.#options = options;
    this.#map = new ShardMap(view);
    this.#isReachable = ageMs === undefined;
    this.#trueAt = options.clock.monotonic() - (ageMs ?? 0);
    this.#clocksApart = clocksApart(options.clock);
  }

  /** @throws unavailable: the directory cannot be reached, and no copy was ever kept. */
  static async open(options: CachedDirectoryOptions): Promise<CachedDirectory> {
    const { source, copy, clock, onTrouble } = options;
    const opened = await openView();
    const cached = new CachedDirectory(options, opened.view, opened.ageMs);
    if (opened.ageMs === undefined) await cached.#keep(opened.view);
    cached.#lookLater();
    return cached;

    async function openView(): Promise<{ view: DirectoryView; ageMs: number | undefined }> {
      try {
        return { view: await source.read(), ageMs: undefined };
      } catch (error) {
        if (!(error instanceof HoldfastError) || !error.retryable) throw error;
        const kept = await copy?.read();
        if (kept === undefined) throw error;
        onTrouble?.(error);
        return { view: kept.view, ageMs: Math.max(0, clock.now() - kept.at) };
      }
    }
  }

  /** The copy: as of `standing`. */
  get map(): ShardMap {
    return this.#map;
  }

  get isShared(): boolean {
    return this.#options.isShared;
  }

  /** Whether nobody else changes it, and there is but one shard: then nothing is ever elsewhere. */
  get isSettled(): boolean {
    return !this.#options.isShared && this.#map.isSingle;
  }

  /** Until when, by the clock that never runs backwards, the map as it is now is sure. */
  get sureUntilMs(): number {
    const { isShared, clock } = this.#options;
    const trueAt = isShared || !this.#isReachable ? this.#trueAt : clock.monotonic();
    return trueAt + MAP_SURE_MS;
  }

  /** Whether it is earlier than that. A machine that was asleep in between does not know. */
  isBefore(untilMs: number): boolean {
    const { clock, isShared } = this.#options;
    if (clock.monotonic() > untilMs) return false;
    return (!isShared && this.#isReachable) || Math.abs(clocksApart(clock) - this.#clocksApart)
      <= CLOCKS_APART_MS;
  }

  get standing(): DirectoryStanding {
    const { isShared, clock } = this.#options;
    const ageMs = isShared || !this.#isReachable ? clock.monotonic() - this.#trueAt : 0;
    return { rev: this.#map.view.rev, ageMs, isReachable: this.#isReachable };
  }

  /** For who has just seen that this revision is there. Undefined where the copy is no older: then
   *  nobody has to wait. @throws unavailable: it is, and cannot be read anew. */
  catchUp(rev: number): Promise<void> | undefined {
    return rev > this.#map.view.rev ? this.#catchUp(rev) : undefined;
  }

  async #catchUp(rev: number): Promise<void> {
    await this.refresh();
    if (rev > this.#map.view.rev) throw directoryAway();
  }

  /** Looks now. Resolves with whether the map is true; never rejects. */
  async refresh(): Promise<boolean> {
    // One that is under way may have looked before whatever the caller has just seen.
    await this.#refreshing;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<boolean> {
    const { source, clock, onTrouble } = this.#options;
    try {
      const askedAt = clock.monotonic();
      const apart = clocksApart(clock);
      if (await source.readRev() !== this.#map.view.rev) this.#take(await source.read());
      this.#trueAt = askedAt;
      this.#clocksApart = apart;
      this.#isReachable = true;
      return true;
    } catch (error) {
      if (this.#isReachable && !this.#isClosed) onTrouble?.(error);
      this.#isReachable = false;
      return false;
    }
  }

  /** Answers that overtake each other never bring the past back. */
  #take(view: DirectoryView): void {
    if (view.rev <= this.#map.view.rev) return;
    this.#map = new ShardMap(view);
    void this.#keep(view);
  }

  async #keep(view: DirectoryView): Promise<void> {
    try {
      await this.#options.copy?.write(view);
    } catch (error) {
      this.#options.onTrouble?.(error);
    }
  }

  #lookLater(): void {
    if (!this.#options.isShared || this.#isClosed) return;
    this.#cancel = this.#options.clock.after(REFRESH_MS, () => {
      void this.refresh().finally(() => this.#lookLater());
    });
  }

  readRev(): Promise<number> {
    return this.#options.source.readRev();
  }

  async read(): Promise<DirectoryView> {
    const view = await this.#options.source.read();
    this.#take(view);
    return view;
  }

  async #changed<T>(change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      await this.refresh(); // Also when nobody knows if it was made.
    }
  }

  async addShard(shard: NewShard): Promise<ShardRecord> {
    return this.#changed(this.#options.source.addShard(shard));
  }

  async setShardState(number: number, state: ShardState): Promise<ShardRecord> {
    return this.#changed(this.#options.source.setShardState(number, state));
  }

  async place(tenant: TenantId, shard: number): Promise<TenantPlace> {
    return this.#changed(this.#options.source.place(tenant, shard));
  }

  async movePlace(move: PlaceMove): Promise<TenantPlace> {
    return this.#changed(this.#options.source.movePlace(move));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#options.source.close();
    await this.#refreshing;
  }
}

function clocksApart(clock: Clock): number {
  return clock.now() - clock.monotonic();
}
