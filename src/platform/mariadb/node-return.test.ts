import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { NodeReturn } from './node-return.ts';
import { nodesInUse } from '../database-nodes.ts';
import { NodeChoice, withChoice } from './nodes.ts';

const MINUTE_MS = 60_000;
const LOOK_MS = 5_000;

describe('the way back to the first node', () => {
  let choice: NodeChoice;
  let nowMs: number;
  let ready: Set<number>;
  let asked: (readonly [place: number, inUse: number])[];
  let wayBack: NodeReturn;

  const returnAfter = (returnAfterMs: number): NodeReturn => new NodeReturn({
    choice, returnAfterMs, now: () => nowMs,
    isReady: async (place, inUse) => {
      asked.push([place, inUse]);
      return ready.has(place);
    },
  });

  beforeEach(() => {
    choice = new NodeChoice({
      user: 'root', password: '', database: 'd', host: 'db1',
      others: [{ host: 'db2' }, { host: 'db3' }],
    });
    nowMs = 1_000_000;
    ready = new Set();
    asked = [];
    wayBack = returnAfter(MINUTE_MS);
  });

  /** With statements all the time. */
  async function goOn(forMs: number): Promise<void> {
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 500) {
      wayBack.consider();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  it('is not looked for on the first node, nor where nobody wants it', async () => {
    ready.add(0);
    await goOn(5 * MINUTE_MS);
    choice.leave(0);
    wayBack = returnAfter(0);
    await goOn(5 * MINUTE_MS);
    assert.deepEqual(asked, []);
    assert.equal(choice.current, 1);
  });

  it('is gone once the first node was well for as long as was said, and not before', async () => {
    choice.leave(0);
    await goOn(10 * MINUTE_MS);
    assert.equal(choice.current, 1);
    assert.ok(asked.length <= 10 * MINUTE_MS / LOOK_MS + 1, `${asked.length} looks`);
    ready.add(0);
    await goOn(MINUTE_MS - 500);
    assert.equal(choice.current, 1);
    await goOn(2 * LOOK_MS);
    assert.equal(choice.current, 0);
  });

  it('begins anew with every look at which the node is not well', async () => {
    choice.leave(0);
    for (let time = 0; time < 10; time += 1) {
      ready.add(0);
      await goOn(MINUTE_MS - LOOK_MS);
      ready.delete(0);
      await goOn(2 * LOOK_MS);
    }
    assert.equal(choice.current, 1);
  });

  it('begins anew when nobody has looked for long', async () => {
    choice.leave(0);
    ready.add(0);
    await goOn(MINUTE_MS / 2);
    nowMs += 60 * MINUTE_MS; // Nobody has said anything to the database.
    await goOn(MINUTE_MS / 2);
    assert.equal(choice.current, 1);
    await goOn(MINUTE_MS / 2 + 2 * LOOK_MS);
    assert.equal(choice.current, 0);
  });

  it('leads to the first one that is well, and from there to the very first', async () => {
    choice.leave(0);
    choice.leave(1);
    ready.add(1);
    await goOn(MINUTE_MS + 2 * LOOK_MS);
    assert.equal(choice.current, 1);
    assert.deepEqual(asked.slice(0, 2), [[0, 2], [1, 2]]);
    ready.add(0);
    await goOn(3 * MINUTE_MS);
    assert.equal(choice.current, 0);
  });

  it('takes twice as long after each return that did not last, and as before after one that did',
    async () => {
      ready.add(0);
      /** How long it takes from when the first node is left. */
      const away = async (): Promise<number> => {
        const sinceMs = nowMs;
        choice.leave(0);
        while (choice.current !== 0) await goOn(500);
        return Math.round((nowMs - sinceMs) / MINUTE_MS);
      };
      assert.deepEqual([await away(), await away(), await away()], [1, 2, 4]);
      for (let time = 0; time < 6; time += 1) await away();
      assert.equal(await away(), 60, 'an hour at most');
      await goOn(11 * 60 * MINUTE_MS);
      assert.equal(await away(), 1);
    });

  it('moves nobody who has moved on meanwhile', async () => {
    choice.leave(0);
    ready.add(0);
    await goOn(MINUTE_MS - LOOK_MS);
    assert.equal(choice.current, 1);
    wayBack = new NodeReturn({
      choice, returnAfterMs: MINUTE_MS, now: () => nowMs,
      isReady: () => {
        choice.leave(1); // The node in use has failed.
        return Promise.resolve(true);
      },
    });
    nowMs += 2 * LOOK_MS;
    await wayBack.look();
    assert.equal(choice.current, 2, 'they go to the next, and begin anew there');
  });

  it('is looked for by one at a time, of all who share the choice', async () => {
    choice.leave(0);
    const others = Array.from({ length: 8 }, () => returnAfter(MINUTE_MS));
    for (const other of others) other.consider();
    await goOn(1_000);
    assert.equal(asked.length, 1);
  });

  it('is told to whoever watches which node is in use, once for each cluster', async () => {
    const address = {
      user: 'root', password: 'secret', database: 'd', host: 'told1',
      others: [{ host: 'told2', port: 7 }],
    };
    const shared = withChoice(address);
    withChoice({ ...address, database: 'another' });
    const [nodes, ...more] = nodesInUse().filter(({ names }) => names[0] === 'told1:3306');
    assert.ok(nodes !== undefined);
    assert.deepEqual([nodes.names, more], [['told1:3306', 'told2:7'], []]);
    choice = new NodeChoice(shared);
    wayBack = returnAfter(MINUTE_MS);
    choice.leave(0);
    assert.deepEqual([nodes.place(), nodes.returnedAt()], [1, 0]);
    ready.add(0);
    await goOn(MINUTE_MS + 2 * LOOK_MS);
    assert.equal(nodes.place(), 0);
    assert.ok(nodes.returnedAt() > 0);
  });
});
