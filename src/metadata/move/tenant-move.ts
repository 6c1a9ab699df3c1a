/**
 * One tenant on its way. Each state is written down before its work begins, and its work may be
 * done twice: so it goes on wherever the process died. What decides is the directory: until it
 * names the other shard, the tenant is where it was; from then on it only goes forward.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { SpaceId, TenantId } from '../../base/ids.ts';
import { failpoint } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { ShardDirectory } from '../shards/shard-directory.ts';
import { HeldRows } from './held-rows.ts';
import { COPY_START } from './move-record.ts';
import type { MoveJournal, MoveRecord, MoveState } from './move-record.ts';
import {
  freezeTooLong, isThere, movedByAnother, movedElsewhere, placeDiffers, targetInUse,
} from './move-refusals.ts';
import { PAGE_ROWS, RowCarrier, differs, dropTenant } from './row-carrier.ts';
import type { Placement, TenantRows } from './tenant-rows.ts';
import { Throttle } from './throttle.ts';
import { TouchedRows } from './touched-rows.ts';

export interface MovePace {
  readonly rowsPerSecond: number;
  /** Longer than this no writer waits: the freeze is given up, and tried again later. */
  readonly freezeMaxMs: number;
  /** For so long after a flip what changes goes back as well. */
  readonly reverseMs: number;
  /** For so long after a flip nothing is written to the shard that was left: whoever has an old map
   *  of shards reads there what it was at the flip, and no mixture. */
  readonly quietMs: number;
  /** Between two looks at a log that was empty, and the first wait after a failure. */
  readonly idleMs: number;
}

export interface MoveParts {
  readonly directory: Pick<ShardDirectory, 'read' | 'movePlace'>;
  readonly journal: MoveJournal;
  /** @throws unavailable: it cannot be reached; not-found. */
  readonly rowsOf: (shard: number) => Promise<TenantRows>;
  readonly clock: Clock;
  readonly pace: MovePace;
  /** Whether tenants are this process' to move: without that nothing is written. */
  readonly isOurs: () => boolean;
  /** The tenant is elsewhere now: whoever waits for news of these spaces looks there. */
  readonly onFlipped: (tenant: TenantId, spaces: readonly SpaceId[]) => void;
}

/** Thrown within the work of a state when an operator has asked for something else. */
class Interrupted extends Error {}

/** About so many rows are left when writers are stopped. */
const LAG_SMALL = 200;
/** Then it is tried all the same: the freeze has its own end. */
const ROUNDS_MAX = 50;
const PARTS_PAGE = 1_000;
const ALL_OF_LOG = Number.MAX_SAFE_INTEGER;
/** Left of a freeze's time when the directory is told. */
const FLIP_SHARE = 0.25;

export class TenantMove {
  readonly #parts: MoveParts;
  #record: MoveRecord;
  #throttle: Throttle;
  /** Rows that have to be compared within the freeze; undefined: nothing is known, so all do. */
  #pending: TouchedRows | undefined;
  /** Set until it is known that no freeze stands. */
  #frozenAtMs: number | undefined;
  /** Whether the directory was asked, as far as this process knows. */
  #mayBeFlipped = false;
  #flippedAtMs: number | undefined;
  #isInterrupted = false;
  #savedAtMs = 0;
  #saved = Promise.resolve();
  readonly #held: HeldRows;

  constructor(parts: MoveParts, record: MoveRecord) {
    this.#parts = parts;
    this.#record = record;
    this.#throttle = new Throttle(parts.clock, parts.pace.rowsPerSecond);
    const { rowsOf } = parts;
    this.#held = new HeldRows({ tenant: record.tenant, rowsOf, confirm: () => this.save({}) });
  }

  get record(): MoveRecord {
    return this.#record;
  }

  /** The work at hand stops at the next page. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** One after the other: the newest is the last that is written. What cannot be noted is not. */
  async save(changes: Partial<MoveRecord>): Promise<void> {
    const saved = this.#saved.then(async () => {
      this.#savedAtMs = this.#parts.clock.monotonic();
      await this.#parts.journal.put({ ...this.#record, ...changes });
      this.tell(changes);
    });
    this.#saved = saved.catch(() => undefined);
    await saved;
  }

  /** What may be lost: progress, and words for the operator. */
  tell(changes: Partial<MoveRecord>): void {
    this.#record = { ...this.#record, ...changes };
  }

  async #progress(changes: Partial<MoveRecord>): Promise<void> {
    this.tell(changes);
    if (this.#parts.clock.monotonic() - this.#savedAtMs >= 1_000) await this.save({});
  }

  async #enter(state: MoveState, changes: Partial<MoveRecord> = {}): Promise<void> {
    await this.save({ ...changes, state, trouble: undefined });
    failpoint(`metadata.move-${state}`);
  }

  /** To be called before the first `step` of a process: what was under way may be half done. */
  async recover(): Promise<void> {
    if (this.#record.state === 'freeze') await this.#held.within(() => this.#thaw());
  }

  /** Does the work of the present state, or a piece of it; answers how long to wait before the
   *  next. @throws what stands in the way. */
  async step(): Promise<number> {
    this.#isInterrupted = false;
    try {
      await this.#heed();
      return await this.#held.within(() => this.#work());
    } catch (error) {
      if (error instanceof Interrupted) return 0;
      throw error;
    }
  }

  /** What an operator has asked for. */
  async #heed(): Promise<void> {
    const { wish, state, from, to, epoch } = this.#record;
    if (wish === 'abort' && ['plan', 'copy', 'tail', 'compare'].includes(state)) {
      await this.#enter('abort', { wish: 'none' });
    }
    if (state !== 'reverse' || this.#quietLeftMs() > 0) return;
    if (wish === 'finish') await this.#enter('clean', { wish: 'none' });
    if (wish === 'back') {
      await this.#enter('tail', {
        wish: 'none', from: to, to: from, epoch: epoch + 1, reverseUntil: undefined,
      });
    }
  }

  async #work(): Promise<number> {
    switch (this.#record.state) {
      case 'plan': return this.#plan();
      case 'copy': return this.#copy();
      case 'tail': return this.#tail();
      case 'compare': return this.#compare();
      case 'freeze': return this.#freeze();
      case 'flip': return this.#flip();
      case 'unfreeze': return this.#unfreeze();
      case 'reverse': return this.#reverse();
      case 'clean': return this.#clean();
      case 'abort': return this.#abort();
      default: return 0;
    }
  }

  async #rows(): Promise<{ from: TenantRows; to: TenantRows }> {
    const { from, to } = this.#record;
    return { from: await this.#rowsAt(from), to: await this.#rowsAt(to) };
  }

  /** Once the tenant is this move's, nobody writes but who holds its rows. */
  async #rowsAt(shard: number): Promise<TenantRows> {
    this.#checkOurs();
    return this.#record.isClaimed ? this.#held.at(shard) : this.#parts.rowsOf(shard);
  }

  /** Whoever was stopped in the middle does not write into what another goes on with. */
  #checkOurs(): void {
    if (!this.#parts.isOurs()) throw movedByAnother();
  }

  #carrier(
    { from, to }: { from: TenantRows; to: TenantRows },
    onRows = (count: number): Promise<void> => this.#pass(count),
    epoch = this.#record.epoch,
  ): RowCarrier {
    return new RowCarrier({ tenant: this.#record.tenant, from, to, epoch, onRows });
  }

  async #pass(rows: number): Promise<void> {
    await this.#throttle.pass(rows);
    this.#checkOurs();
    if (this.#isInterrupted) throw new Interrupted();
  }

  async #plan(): Promise<number> {
    const { tenant, from: source, to: target, epoch } = this.#record;
    if (source === target) throw isThere(tenant, target);
    await this.#claim();
    const { from, to } = await this.#rows();
    const there = await to.findPlacement(tenant);
    const ours = await from.findPlacement(tenant);
    if (ours.state !== 'home' || ours.epoch !== epoch) throw placeDiffers(tenant, source);
    if (there.state === 'home') {
      if (there.epoch > 0) throw placeDiffers(tenant, target);
      if ((await to.listParts(tenant, 1)).length > 0) throw targetInUse(tenant, target);
    }
    await to.setPlacement(tenant, there, { epoch, state: 'moved' });
    await to.endCapture(tenant);
    await dropTenant(to, { tenant, epoch }, (count) => this.#pass(count)); // Of one given up.
    await from.endCapture(tenant); // An old log may be long.
    await from.beginCapture(tenant);
    await this.#enter('copy', { cursor: COPY_START });
    return 0;
  }

  /** Of two servers with notes of their own, one alone may move a tenant: while it does, and until
   *  the way back is closed, the shard where the tenant is at home notes what changes. */
  async #claim(): Promise<void> {
    const { tenant, isClaimed } = this.#record;
    if (isClaimed) return;
    const { from, to } = await this.#rows();
    if (await from.isCaptured(tenant) || await to.isCaptured(tenant)) throw movedElsewhere(tenant);
    await this.save({ isClaimed: true });
  }

  async #copy(): Promise<number> {
    await this.#carrier(await this.#rows()).copy(this.#record.cursor, (cursor, rows) =>
      this.#progress({ cursor, rowsCopied: this.#record.rowsCopied + rows }));
    await this.#enter('tail');
    return 0;
  }

  async #tail(): Promise<number> {
    const { count } = await this.#carrier(await this.#rows()).followPage(new TouchedRows());
    await this.#progress({ rowsFollowed: this.#record.rowsFollowed + count });
    if (count < PAGE_ROWS) await this.#enter('compare');
    return 0;
  }

  /** All of both sides, and again what changed meanwhile, until little is left. What differs
   *  although nobody has changed it since is wrong. */
  async #compare(): Promise<number> {
    const { from, to } = await this.#rows();
    const carrier = this.#carrier({ from, to });
    let touched = new TouchedRows();
    await carrier.follow(touched);
    let suspects = await carrier.compareAll(touched, (rows) =>
      this.#progress({ rowsCompared: this.#record.rowsCompared + rows }));
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      await carrier.follow(touched);
      const wanted = touched;
      wanted.addAll(suspects);
      touched = new TouchedRows();
      const again = await carrier.compareRows(wanted);
      await carrier.follow(touched);
      const wrong = notIn(again, touched);
      if (wrong.count > 0) throw differs(wrong);
      suspects = again;
      if (touched.count <= LAG_SMALL) break;
    }
    touched.addAll(suspects);
    this.#pending = touched;
    await to.beginCapture(this.#record.tenant); // For the way back; it takes a while.
    await this.#enter('freeze');
    return 0;
  }

  /** Writers wait from here to `unfreeze`, and no longer than they may. */
  async #freeze(): Promise<number> {
    const { tenant, epoch } = this.#record;
    const { clock, pace: { freezeMaxMs } } = this.#parts;
    const { from } = await this.#rows();
    const pending = this.#pending;
    if (pending === undefined || this.#frozenAtMs !== undefined) {
      await this.#thaw(); // One that was given up, and could not be thawed.
      return 0;
    }
    try {
      this.#frozenAtMs = clock.monotonic();
      const frozen = await from.setPlacement(tenant, { epoch, state: 'home' },
        { epoch, state: 'frozen' });
      if (!frozen) throw placeDiffers(tenant, this.#record.from);
      failpoint('metadata.move-frozen');
      await this.#within(freezeMaxMs * (1 - FLIP_SHARE), (carrier) =>
        this.#drain(carrier, pending));
      await this.#enter('flip');
    } catch (error) {
      await this.#thaw();
      if (!(error instanceof HoldfastError) || error.code !== 'freeze-too-long') throw error;
      return this.#tooLong();
    }
    return 0;
  }

  async #tooLong(): Promise<number> {
    const freezeFailures = this.#record.freezeFailures + 1;
    await this.save({ freezeFailures });
    return this.#parts.pace.idleMs * Math.min(freezeFailures, 100);
  }

  /** Carries over and compares what is left. Nothing changes any more. */
  async #drain(carrier: RowCarrier, pending: TouchedRows): Promise<void> {
    const { tenant, epoch } = this.#record;
    const { to } = await this.#rows();
    const touched = new TouchedRows();
    const count = await carrier.follow(touched);
    failpoint('metadata.move-drained');
    touched.addAll(pending);
    const wrong = await carrier.compareRows(touched);
    if (wrong.count > 0) throw differs(wrong);
    failpoint('metadata.move-verified');
    await to.trimLog(tenant, ALL_OF_LOG); // What was carried over is no change of there.
    await to.setPlacement(tenant, { epoch, state: 'moved' }, { epoch: epoch + 1, state: 'frozen' });
    this.#record = { ...this.#record, rowsFollowed: this.#record.rowsFollowed + count };
  }

  /** What is given up ends before this rejects: nothing writes any more behind it. */
  async #within(limitMs: number, act: (carrier: RowCarrier) => Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    const endsAtMs = (this.#frozenAtMs ?? 0) + limitMs;
    let isOver = false;
    const check = async (): Promise<void> => {
      if (isOver || clock.monotonic() > endsAtMs) throw freezeTooLong(limitMs);
      this.#checkOurs();
    };
    let forget = (): void => undefined;
    const timeout = new Promise<never>((_, reject) => {
      forget = clock.after(endsAtMs - clock.monotonic(), () => {
        isOver = true;
        reject(freezeTooLong(limitMs));
      });
    });
    const work = act(this.#carrier(await this.#rows(), check)).then(check);
    try {
      await Promise.race([work, timeout]);
    } catch (error) {
      isOver = true;
      await this.#unfreezeSource().catch(() => undefined); // At once: the work may hang.
      await work.catch(() => undefined);
      throw error; // Whoever hears of it thaws, again and again.
    } finally {
      forget();
    }
  }

  async #unfreezeSource(): Promise<void> {
    const { tenant, epoch } = this.#record;
    const from = await this.#rowsAt(this.#record.from);
    await from.setPlacement(tenant, { epoch, state: 'frozen' }, { epoch, state: 'home' });
  }

  /** Everything is as it was before the freeze. The directory was not asked for anything. */
  async #thaw(): Promise<void> {
    const { tenant, epoch } = this.#record;
    await this.#unfreezeSource();
    const { to } = await this.#rows();
    const frozen: Placement = { epoch: epoch + 1, state: 'frozen' };
    await to.setPlacement(tenant, frozen, { epoch, state: 'moved' });
    this.#pending = undefined;
    this.#frozenAtMs = undefined;
    this.#mayBeFlipped = false;
    await this.#enter('tail');
  }

  /** From here there is no way back but a move: whoever asks for the flip may not hear that it was
   *  done. So it is asked for until it is. */
  async #flip(): Promise<number> {
    const { tenant, to: shard, epoch } = this.#record;
    const { from } = await this.#rows();
    if ((await from.findPlacement(tenant)).state === 'home') {
      await this.#thaw(); // The flip was noted, but not heard of, and the freeze was given up.
      return 0;
    }
    const spaces = await this.#spaces();
    const { clock, pace: { freezeMaxMs } } = this.#parts;
    const decidedMs = this.#frozenAtMs && clock.monotonic() - this.#frozenAtMs;
    if (!this.#mayBeFlipped && decidedMs !== undefined && decidedMs > freezeMaxMs) {
      await this.#thaw();
      return this.#tooLong();
    }
    this.#mayBeFlipped = true;
    try {
      await this.#parts.directory.movePlace({ tenant, epochWas: epoch, shard, spaces });
    } catch (error) {
      // A refusal holds for whatever was asked for before, too: nothing will be flipped.
      if (error instanceof HoldfastError && !error.retryable) await this.#thaw();
      throw error;
    }
    this.#flippedAtMs = this.#parts.clock.monotonic();
    failpoint('metadata.move-flipped');
    await this.#enter('unfreeze', { decidedMs });
    return 0;
  }

  async #spaces(): Promise<SpaceId[]> {
    const { from } = await this.#rows();
    const spaces: SpaceId[] = [];
    for (;;) {
      const page = await from.listParts(this.#record.tenant, PARTS_PAGE, spaces.at(-1));
      if (page.length === 0) return spaces;
      spaces.push(...page.flatMap((part) => (part.kind === 'space' ? [part.id] : [])));
    }
  }

  async #unfreeze(): Promise<number> {
    const { tenant, epoch } = this.#record;
    const { clock, pace: { reverseMs }, onFlipped } = this.#parts;
    const { from, to } = await this.#rows();
    const after = epoch + 1;
    await to.raiseWitness(await from.readWitness());
    const frozen: Placement = { epoch: after, state: 'frozen' };
    await to.setPlacement(tenant, frozen, { epoch: after, state: 'home' });
    const freezeMs = this.#frozenAtMs === undefined ? undefined
      : clock.monotonic() - this.#frozenAtMs;
    this.#frozenAtMs = undefined;
    failpoint('metadata.move-unfrozen');
    await from.setPlacement(tenant, { epoch, state: 'frozen' }, { epoch: after, state: 'moved' });
    await from.endCapture(tenant);
    const wish = this.#record.wish === 'abort' ? 'none' : this.#record.wish; // It came too late.
    await this.#enter('reverse', { freezeMs, wish, reverseUntil: clock.now() + reverseMs });
    onFlipped(tenant, await this.#spaces());
    return 0;
  }

  /** What is not known of an earlier process counts from now. */
  #quietLeftMs(): number {
    const { clock, pace: { quietMs } } = this.#parts;
    this.#flippedAtMs ??= clock.monotonic();
    return Math.max(0, this.#flippedAtMs + quietMs - clock.monotonic());
  }

  /** Whoever has old notes, of a data directory that was restored, must not write to a shard where
   *  the tenant is at home again. */
  async #checkFlipped(): Promise<void> {
    const { tenant, epoch, to: target } = this.#record;
    const { from, to } = await this.#rows();
    const [there, here] = [await to.findPlacement(tenant), await from.findPlacement(tenant)];
    const isFlipped = there.state === 'home' && here.state === 'moved'
      && there.epoch === epoch + 1 && here.epoch === epoch + 1;
    if (!isFlipped) throw placeDiffers(tenant, target);
  }

  /** What changes over there comes back, so that going back needs no copy. */
  async #reverse(): Promise<number> {
    const { from, to } = await this.#rows();
    const quietLeftMs = this.#quietLeftMs();
    if (quietLeftMs > 0) return Math.ceil(quietLeftMs);
    await this.#checkFlipped();
    const back = this.#carrier({ from: to, to: from }, undefined, this.#record.epoch + 1);
    const { count } = await back.followPage(new TouchedRows());
    await this.#progress({ rowsFollowed: this.#record.rowsFollowed + count });
    const { clock, pace: { idleMs } } = this.#parts;
    if (clock.now() >= (this.#record.reverseUntil ?? 0)) await this.#enter('clean');
    return count === 0 ? idleMs : 0;
  }

  async #clean(): Promise<number> {
    const { tenant, epoch } = this.#record;
    const { from, to } = await this.#rows();
    await this.#checkFlipped();
    await dropTenant(from, { tenant, epoch: epoch + 1 }, async (count) => {
      await this.#checkFlipped();
      await this.#pass(count);
    });
    await to.endCapture(tenant); // Last: until then no other move of the tenant begins.
    await this.#held.end();
    await this.#enter('done', { wish: 'none' });
    return 0;
  }

  async #abort(): Promise<number> {
    const { tenant } = this.#record;
    const { from, to } = await this.#rows();
    if (!this.#record.isClaimed) {
      await this.#enter('aborted', { wish: 'none' });
      return 0;
    }
    await from.endCapture(tenant);
    await to.endCapture(tenant);
    const { state, epoch } = await to.findPlacement(tenant);
    if (state === 'moved') {
      await dropTenant(to, { tenant, epoch }, (count) => this.#pass(count));
    }
    await this.#held.end();
    await this.#enter('aborted', { wish: 'none' });
    return 0;
  }
}

function notIn(rows: TouchedRows, others: TouchedRows): TouchedRows {
  const left = new TouchedRows();
  for (const [name, keys] of rows.tables()) {
    for (const key of keys) if (!others.has(name, key)) left.add(name, key);
  }
  return left;
}
