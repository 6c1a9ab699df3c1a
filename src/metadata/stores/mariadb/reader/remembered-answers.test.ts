import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import type { SeenState } from '../../../../platform/mariadb/index.ts';
import { RememberedAnswers } from './remembered-answers.ts';

/** A database of one number that is read by anybody, and whose state is known as of a moment. */
class Truth {
  value = 1;
  askedCount = 0;
  knownMs = 0;
  state: SeenState = { connection: {}, turn: 1 };
  isUpToDate = true;
  readonly answers = new RememberedAnswers<readonly number[]>({
    stateAfter: (table, sinceMs) =>
      (table === 'writer_turn' && this.knownMs > sinceMs ? this.state : undefined),
  });

  /** Others write, and the state is asked for afterwards. */
  change(turn: number, knownMs: number): void {
    this.value += 1;
    this.know({ ...this.state, turn }, knownMs);
  }

  know(state: SeenState, knownMs: number): void {
    this.state = state;
    this.knownMs = knownMs;
  }

  async read(sinceMs: number | undefined, key = 'key'): Promise<number | undefined> {
    const [value] = await this.answers.answer(sinceMs, () => key, async () => {
      this.askedCount += 1;
      const read = [this.value];
      await Promise.resolve();
      return { value: read, isUpToDate: this.isUpToDate };
    });
    return value;
  }
}

describe('RememberedAnswers', () => {
  it('asks once while nothing changes, and again for whoever comes after a change', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    for (let time = 0; time < 5; time += 1) assert.equal(await truth.read(9), 1);
    assert.equal(truth.askedCount, 1);
    truth.change(2, 20);
    assert.equal(await truth.read(19), 2);
    assert.equal(await truth.read(19), 2);
    assert.equal(truth.askedCount, 2);
  });

  it('asks for everybody whose coming the known state does not reach', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    assert.equal(await truth.read(9), 1);
    truth.value = 7; // Somebody has written, and nobody here has asked for the state since.
    assert.equal(await truth.read(10), 7);
    assert.equal(await truth.read(undefined), 7);
    assert.equal(truth.askedCount, 3);
  });

  it('remembers nothing of those who asked without a known state', async () => {
    const truth = new Truth();
    await truth.read(undefined);
    truth.know(truth.state, 10);
    await truth.read(9);
    assert.equal(truth.askedCount, 2);
  });

  it('takes the same number over another connection for another state', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    await truth.read(9);
    truth.value = 7;
    truth.know({ connection: {}, turn: 1 }, 20);
    assert.equal(await truth.read(19), 7);
  });

  it('never enters under a new state what was asked for under an old one', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    const early = truth.read(9);
    truth.change(2, 20);
    assert.equal(await truth.read(19, 'other'), 2);
    assert.equal(await early, 1);
    assert.equal(await truth.read(19), 2);
  });

  it('does not remember what a snapshot that may be behind has said', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    truth.isUpToDate = false;
    await truth.read(9);
    truth.value = 7;
    assert.equal(await truth.read(9), 7);
  });

  it('keeps a bounded number of answers', async () => {
    const truth = new Truth();
    truth.know(truth.state, 10);
    for (let at = 0; at < 25_000; at += 1) await truth.read(9, `${at}`);
    truth.askedCount = 0;
    for (let at = 0; at < 25_000; at += 1) await truth.read(9, `${at}`);
    assert.equal(truth.askedCount, 25_000, 'round and round, nothing is left of the last time');
    await truth.read(9, '24999');
    assert.equal(truth.askedCount, 25_000, 'what came last is');
  });
});
