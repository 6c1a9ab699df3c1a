/** Callers who change files of one space all the time, and note what they were told. */
import assert from 'node:assert/strict';
import { isKind } from '../../../../base/errors.ts';
import { systemClock } from '../../../../platform/index.ts';
import type { Hand } from '../../../conformance/hand.ts';
import type { Change, ChangeResult } from '../../../changes.ts';
import type { EventRecord, NodeRecord } from '../../../records.ts';

const PAUSE_MS = 20;
const DEADLINE_MS = 60_000;
const EVENTS_PAGE = 1_000;

interface Acknowledged {
  rev: number;
  kind: EventRecord['kind'];
  name: string;
}

export class AcknowledgedLoad {
  readonly #h: Hand;
  readonly #acknowledged: Acknowledged[] = [];
  /** Of each caller that was told nothing, or that it failed: then the change was made, or not. */
  readonly refusals: unknown[] = [];
  readonly #work: Promise<void>[];
  #isOver = false;
  #lastMs = systemClock.monotonic();
  #longestGapMs = 0;

  constructor(h: Hand, callerCount = 8) {
    this.#h = h;
    this.#work = Array.from({ length: callerCount }, (_, n) => this.#call(n));
  }

  get count(): number {
    return this.#acknowledged.length;
  }

  /** The longest time between two acknowledgements, of whichever callers; then a new count. */
  takeLongestGapMs(): number {
    const longestMs = Math.max(this.#longestGapMs, systemClock.monotonic() - this.#lastMs);
    this.#longestGapMs = 0;
    return longestMs;
  }

  async #call(caller: number): Promise<void> {
    const h = this.#h;
    for (let n = 0; !this.#isOver; n += 1) {
      const name = `${caller}-${n}`;
      const file = await this.#try(name, 'create', h.putChange(h.root, name));
      if (file === undefined) continue;
      if (n % 3 === 0) await this.#try(name, 'update', h.putChange(h.root, name, 20));
      if (n % 5 === 0) await this.#move(name, file);
      if (n % 7 === 0) await this.#try(name, 'delete',
        { op: 'delete', spaceId: h.space.id, nodeId: file.id, actor: h.actor() });
    }
  }

  async #move(name: string, file: NodeRecord): Promise<void> {
    const h = this.#h;
    await this.#try(name, 'move', h.moveChange(file.id, h.root, `${name} moved`));
  }

  /** Undefined: nobody knows. */
  async #try(
    name: string, kind: EventRecord['kind'], change: Change,
  ): Promise<NodeRecord | undefined> {
    let result: ChangeResult;
    try {
      await pause(); // What is written has to be compared at the end.
      result = await this.#h.store.commit(change);
    } catch (error) {
      this.refusals.push(error);
      return undefined;
    }
    const nowMs = systemClock.monotonic();
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#acknowledged.push({ rev: result.rev, kind, name });
    return result.node;
  }

  /** Resolves once so many more changes were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.count + count;
    const endsAt = systemClock.now() + DEADLINE_MS;
    while (this.count < wanted) {
      assert.ok(systemClock.now() < endsAt, `no changes: ${String(this.refusals.at(-1))}`);
      await pause();
    }
  }

  /** Resolves once so many more changes were refused. */
  async moreRefusals(count: number): Promise<void> {
    const wanted = this.refusals.length + count;
    const endsAt = systemClock.now() + DEADLINE_MS;
    while (this.refusals.length < wanted) {
      assert.ok(systemClock.now() < endsAt, 'nobody is refused');
      await pause();
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  /** Asserts, once it was stopped: the journal has all that was acknowledged, each once, and
   *  nothing else but what was refused as `unavailable` and may have been made. */
  async assertKept(): Promise<void> {
    const events = await this.#journal();
    assert.deepEqual(events.map(({ rev }) => rev), events.map((_, at) => at + 1));
    const byRev = new Map(events.map((event) => [event.rev, event]));
    for (const { rev, kind, name } of this.#acknowledged) {
      const event = byRev.get(rev);
      assert.ok(byRev.delete(rev), `revision ${rev} was acknowledged twice, or is not there`);
      assert.equal(event?.kind, kind);
      assert.equal((event.nameBefore ?? event.nameAfter ?? '').replace(' moved', ''), name);
    }
    const strange = this.refusals.filter((refusal) =>
      !isKind(refusal, 'unavailable') && !isKind(refusal, 'busy'));
    assert.deepEqual(strange, []);
    assert.ok(byRev.size <= this.refusals.length, `${byRev.size} changes nobody asked for`);
    const creates = events.filter(({ kind }) => kind === 'create');
    assert.equal(new Set(creates.map(({ nameAfter }) => nameAfter)).size, creates.length);
  }

  async #journal(): Promise<EventRecord[]> {
    const { store, space } = this.#h;
    const events: EventRecord[] = [];
    for (;;) {
      const page = await store.listEvents(space.id, events.length, EVENTS_PAGE);
      events.push(...page);
      if (page.length < EVENTS_PAGE) return events;
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(PAUSE_MS, resolve);
  });
}
