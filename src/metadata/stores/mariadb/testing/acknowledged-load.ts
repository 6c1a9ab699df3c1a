/** Callers who change files of one space all the time, and note what they were told. */
import assert from 'node:assert/strict';
import { isKind } from '../../../../base/errors.ts';
import { systemClock } from '../../../../platform/index.ts';
import type { Hand } from '../../../conformance/hand.ts';
import type { Change, ChangeResult } from '../../../changes.ts';
import type { EventRecord, NodeRecord } from '../../../records.ts';

const PAUSE_MS = 20;
const DEADLINE_MS = 120_000;
const EVENTS_PAGE = 1_000;
const FAULTS_SHOWN_MAX = 40;

interface Attempt {
  kind: EventRecord['kind'];
  name: string;
}

interface Acknowledged extends Attempt {
  rev: number;
  /** Since the load began. */
  atMs: number;
  by: string;
}

/** Of whoever was told nothing, or that it failed: then the change was made, or not. */
interface Refused extends Attempt {
  error: unknown;
}

export interface LoadOptions {
  callerCount?: number;
  /** The name of the database node in use. */
  nodeInUse: () => string;
}

export class AcknowledgedLoad {
  readonly #h: Hand;
  readonly #nodeInUse: () => string;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #refused: Refused[] = [];
  readonly #work: Promise<void>[];
  readonly #begunMs = systemClock.monotonic();
  #isOver = false;
  #lastMs = systemClock.monotonic();
  #longestGapMs = 0;

  constructor(h: Hand, { callerCount = 8, nodeInUse }: LoadOptions) {
    this.#h = h;
    this.#nodeInUse = nodeInUse;
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
      this.#refused.push({ kind, name, error });
      return undefined;
    }
    const nowMs = systemClock.monotonic();
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const atMs = Math.round(nowMs - this.#begunMs);
    this.#acknowledged.push({ rev: result.rev, kind, name, atMs, by: this.#nodeInUse() });
    return result.node;
  }

  /** Resolves once so many more changes were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.count + count;
    await until(() => this.count >= wanted, () =>
      `no changes are made: ${String(this.#refused.at(-1)?.error)}`);
  }

  /** Resolves once so many more changes were refused. */
  async moreRefusals(count: number): Promise<void> {
    const wanted = this.#refused.length + count;
    await until(() => this.#refused.length >= wanted, () => 'nobody is refused');
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  /** Asserts, once it was stopped: the journal has all that was acknowledged, each once, and
   *  nothing else but what was refused and may have been made. Names what it lacks. */
  async assertKept(): Promise<void> {
    const events = await this.#journal();
    const faults = [
      ...gapsIn(events), ...this.#missingIn(events), ...this.#strangeIn(events),
      ...twiceIn(events),
    ];
    assert.equal(faults.length, 0, `${faults.length} faults in ${events.length} changes, of which `
      + `${this.count} were acknowledged\n${faults.slice(0, FAULTS_SHOWN_MAX).join('\n')}`);
  }

  /** Asserts: whoever was refused was told that the same may succeed later, or be looked for. */
  assertCalmRefusals(): void {
    const strange = this.#refused.filter(({ error }) =>
      !isKind(error, 'unavailable') && !isKind(error, 'busy'));
    assert.deepEqual(strange, []);
  }

  #missingIn(events: readonly EventRecord[]): string[] {
    const byRev = new Map(events.map((event) => [event.rev, event]));
    const known = new Map<number, Acknowledged>();
    return this.#acknowledged.flatMap((told) => {
      const [event, other] = [byRev.get(told.rev), known.get(told.rev)];
      known.set(told.rev, told);
      if (other !== undefined) return [`${wordsOf(told)} and also ${wordsOf(other)}`];
      if (event === undefined) return [`${wordsOf(told)} is missing`];
      const is = attemptOf(event);
      if (is.kind === told.kind && is.name === told.name) return [];
      return [`${wordsOf(told)} is ${is.kind} ${is.name} of node ${event.nodeId}`];
    });
  }

  /** What nobody was told of was asked for, and refused. */
  #strangeIn(events: readonly EventRecord[]): string[] {
    const told = new Set(this.#acknowledged.map(({ rev }) => rev));
    const refused = new Set(this.#refused.map(keyOf));
    return events.filter((event) => !told.has(event.rev)).flatMap((event) => {
      const key = keyOf(attemptOf(event));
      if (refused.delete(key)) return [];
      return [`revision ${event.rev}, ${key} of node ${event.nodeId}, is twice, or nobody's`];
    });
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

/** Each change of a name is made once at most, so these tell them apart. */
function keyOf({ kind, name }: Attempt): string {
  return `${kind} ${name}`;
}

function attemptOf({ kind, nameBefore, nameAfter }: EventRecord): Attempt {
  return { kind, name: (nameBefore ?? nameAfter ?? '').replace(' moved', '') };
}

function wordsOf({ rev, kind, name, atMs, by }: Acknowledged): string {
  return `revision ${rev}, ${kind} ${name}, acknowledged after ${atMs} ms by ${by},`;
}

function gapsIn(events: readonly EventRecord[]): string[] {
  return events.flatMap(({ rev }, at) => {
    const before = events[at - 1]?.rev ?? 0;
    return rev === before + 1 ? [] : [`revision ${rev} follows ${before}`];
  });
}

function twiceIn(events: readonly EventRecord[]): string[] {
  const seen = new Map<string, number>();
  return events.flatMap((event) => {
    const key = keyOf(attemptOf(event));
    const before = seen.get(key);
    seen.set(key, event.rev);
    return before === undefined ? [] : [`${key} at revision ${before} and ${event.rev}`];
  });
}

async function until(isTrue: () => boolean, complaint: () => string): Promise<void> {
  const endsAt = systemClock.now() + DEADLINE_MS;
  while (!isTrue()) {
    assert.ok(systemClock.now() < endsAt, complaint());
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(PAUSE_MS, resolve);
  });
}
