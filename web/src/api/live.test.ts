import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import {
  LIVE_PAUSE_MS_MAX, LIVE_POLL_MS, LIVE_QUEUE_MAX, LiveUpdates,
} from './live.ts';
import type { ChangeStream, LiveChange, LivePage } from './live.ts';

type Listener = (event: { readonly data?: unknown }) => void;

class FakeStream implements ChangeStream {
  isClosed = false;
  readonly cursor: string | undefined;
  readonly #listeners = new Map<string, Listener>();

  constructor(cursor: string | undefined) {
    this.cursor = cursor;
  }

  addEventListener(kind: string, listener: Listener): void {
    this.#listeners.set(kind, listener);
  }

  close(): void {
    this.isClosed = true;
  }

  says(kind: string, data?: unknown): void {
    this.#listeners.get(kind)?.({ data: JSON.stringify(data) });
  }
}

const change = (name: string): LiveChange => ({ kind: 'removed', key: name, isWhole: false });
const page = (cursor: string, ...names: string[]): LivePage => {
  return { items: names.map(change), cursor, isMore: false };
};

describe('Live updates', () => {
  let streams: FakeStream[];
  let applied: string[];
  let frames: (() => void)[];
  let pages: LivePage[];
  let live: LiveUpdates;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    [streams, applied, frames, pages] = [[], [], [], []];
    live = new LiveUpdates({
      openStream: (cursor) => {
        const stream = new FakeStream(cursor);
        streams.push(stream);
        return stream;
      },
      ask: async () => pages.shift() ?? page('same'),
      apply: (changes) => {
        applied.push(changes === 'reset' ? changes : changes.map(({ key }) => key).join(' '));
      },
      beforeNextFrame: (run) => frames.push(run),
      onAccessEnded: () => applied.push('access ended'),
      random: () => 0.5,
    });
  });
  afterEach(() => {
    live.stop();
    mock.timers.reset();
  });

  const last = (): FakeStream => streams.at(-1) ?? assert.fail('no stream');
  const draw = (): void => {
    for (const run of frames.splice(0)) run();
  };
  /** Lets what has been answered be taken in. */
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
  };

  it('applies all that came since the last picture in one step', () => {
    live.start();
    last().says('open');
    last().says('reset', { reset: true, cursor: 'c0' });
    draw();
    last().says('changes', page('c1', 'a'));
    last().says('changes', page('c2', 'b', 'c'));
    assert.deepEqual(applied, ['reset']);
    draw();
    assert.deepEqual(applied, ['reset', 'a b c']);
    assert.equal(live.state.value, 'stream');
  });

  it('keeps no more than a few thousand changes: lists are loaded again instead', () => {
    live.start();
    const names = Array.from({ length: LIVE_QUEUE_MAX + 1 }, (_, n) => String(n));
    last().says('changes', page('c1', ...names));
    last().says('changes', page('c2', 'z'));
    draw();
    assert.deepEqual(applied, ['reset']);
  });

  it('goes on where it was, with growing pauses, and then asks as well', async () => {
    live.start();
    last().says('open');
    last().says('changes', page('c1', 'a'));
    const pauses = [1_000, 2_000, 4_000, 8_000];
    for (const [at, pauseMs] of pauses.entries()) {
      last().says('error');
      assert.ok(last().isClosed);
      mock.timers.tick(pauseMs - 1);
      assert.equal(streams.length, at + 1);
      mock.timers.tick(1);
      assert.equal(streams.length, at + 2);
      assert.equal(last().cursor, 'c1');
    }
    assert.equal(live.state.value, 'polling');
    draw();
    await settle();
    pages.push(page('c2', 'b'));
    mock.timers.tick(LIVE_POLL_MS);
    await settle();
    draw();
    assert.deepEqual(applied, ['a', 'b']);
    last().says('open');
    assert.equal(live.state.value, 'stream');
    for (let n = 0; n < 12; n += 1) {
      last().says('error');
      mock.timers.tick(LIVE_PAUSE_MS_MAX);
    }
    assert.equal(last().cursor, 'c2');
  });

  it('lets the stream go while nobody looks, and catches up afterwards', () => {
    live.start();
    last().says('open');
    last().says('changes', page('c1'));
    live.stop();
    assert.ok(last().isClosed);
    last().says('changes', page('c9', 'too late'));
    live.start();
    assert.equal(last().cursor, 'c1');
    live.forget();
    live.start();
    assert.equal(last().cursor, undefined);
  });

  it('finds out that a stream is swallowed on the way, and asks instead', async () => {
    live.start();
    last().says('open');
    last().says('changes', page('c1'));
    pages.push(page('c2', 'b'), page('c2', 'b'));
    mock.timers.tick(120_000);
    await settle();
    mock.timers.tick(5_000);
    await settle();
    draw();
    assert.equal(live.state.value, 'polling');
    assert.deepEqual(applied, ['b']);
  });

  it('says when access has ended, and opens the stream at once when the server is back', () => {
    live.start();
    last().says('bye', { reason: 'access-ended' });
    assert.deepEqual(applied, ['access ended']);
    live.reachAgain();
    assert.equal(streams.length, 2);
  });
});
