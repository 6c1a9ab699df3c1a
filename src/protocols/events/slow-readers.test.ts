/**
 * Listeners that do not read. What the kernel takes for them is not ours to bound; of what it does
 * not take, at most one message waits in the process, and after SLOW_MS the listener is let go.
 */
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import type { Socket as NetSocket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseNodeId } from '../../base/ids.ts';
import type { FeedPage } from '../../files/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { PASSWORD } from '../nextcloud/testing/cloud-site.ts';
import { SLOW_MS } from './event-parts.ts';
import { CHANGES_PATH } from './event-routes.ts';
import { PUSH_PATH } from './push-socket.ts';
import { EventSite, basic } from './testing/event-site.ts';

/** Of one page: as many entries as a message has, of long names. */
const ENTRIES = 100;
/** The push socket tells ids alone. */
const LARGEST_ID = parseNodeId(Number.MAX_SAFE_INTEGER);
/** A frame or an event around it. */
const AROUND_BYTES = 1_000;
/** Until the kernel takes no more: some megabytes. */
const ROUNDS_MAX = 1_000_000;
const ROUNDS_BEHIND = 200;
const WAIT = { timeout: 120_000 };

const SHORT_MS = 2_000;

/** Short waits are over at once; SLOW_MS is over when the test says so. */
class HurriedClock implements Clock {
  readonly slow = new Set<() => void>();

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(delayMs: number, act: () => void): () => void {
    if (delayMs === SLOW_MS) {
      this.slow.add(act);
      return () => this.slow.delete(act);
    }
    if (delayMs > SHORT_MS) return systemClock.after(delayMs, act);
    const immediate = setImmediate(act);
    return () => clearImmediate(immediate);
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('A listener that does not read', WAIT, () => {
  let site: EventSite;
  let clock: HurriedClock;
  /** Those that the server has accepted. */
  const accepted = new Set<NetSocket>();
  const note = (message: unknown): void => {
    accepted.add((message as { socket: NetSocket }).socket);
  };
  /** What the feed says from now on, again and again. */
  let again: FeedPage | undefined;
  let largestBytes = 0;

  beforeEach(async () => {
    again = undefined;
    accepted.clear();
    diagnostics.subscribe('net.server.socket', note);
    clock = new HurriedClock();
    site = await EventSite.open({ clock, enlarge: (page) => again ?? enlarged(page) });
  });
  afterEach(async () => {
    diagnostics.unsubscribe('net.server.socket', note);
    await site.close();
  });

  function enlarged(page: FeedPage): FeedPage {
    const [change] = page.isReset ? [] : page.changes;
    if (page.isReset || change === undefined) return page;
    const large = { ...change, nodeId: LARGEST_ID };
    const changes = Array.from({ length: ENTRIES }, () => large);
    again = { ...page, changes };
    largestBytes = JSON.stringify(changes).length * 2;
    return again;
  }

  /** Waiting in the process for all sockets. */
  const heldBytes = (): number => [...accepted].reduce((sum, one) => sum + one.writableLength, 0);

  /** Wakes whoever listens until the kernel takes nothing more, and often behind that. */
  async function flood(): Promise<void> {
    await site.write('anna', 'x'.repeat(250));
    const { spaceId } = (await site.parts.files.get(site.caller('anna'), [])).node;
    let rounds = 0;
    for (; heldBytes() === 0 && rounds < ROUNDS_MAX; rounds += 1) {
      site.hub.changed(spaceId);
      await turn();
    }
    assert.ok(heldBytes() > 0, `the kernel takes all there is, after ${rounds} rounds`);
    const atFirst = heldBytes();
    assert.ok(atFirst <= largestBytes + AROUND_BYTES, `${atFirst} bytes wait`);
    for (let round = 0; round < ROUNDS_BEHIND; round += 1) {
      site.hub.changed(spaceId);
      await turn();
    }
    assert.ok(heldBytes() <= atFirst, 'nothing is added to what waits');
    assert.equal(site.hub.listenerCount, 1);
  }

  async function letGo(): Promise<void> {
    for (const act of clock.slow) act();
    await site.waiting(0);
    again = undefined;
    assert.equal((await site.get('?wait=0')).status, 200, 'it may still ask now and then');
  }

  it('to a stream has one message waiting, and is let go', async () => {
    const stream = await site.stream();
    await stream.next();
    await stream.next();
    stream.res.pause();
    await flood();
    await letGo();
    stream.close();
  });

  it('to a socket has one message waiting, and is let go', async () => {
    const socket = site.socket(`${CHANGES_PATH}/socket`, basic('anna'));
    await socket.page();
    socket.ws.pause();
    await flood();
    await letGo();
    socket.ws.terminate();
  });

  it('to the push socket has one message waiting, and is let go', async () => {
    const socket = site.socket(PUSH_PATH);
    await socket.send('anna');
    await socket.send(PASSWORD);
    await socket.next();
    await socket.send('listen notify_file_id');
    socket.ws.pause();
    await flood();
    await letGo();
    socket.ws.terminate();
  });
});
