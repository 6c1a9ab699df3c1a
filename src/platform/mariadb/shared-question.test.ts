import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedQuestion } from './shared-question.ts';

const turn = (): Promise<void> => new Promise((resolve) => {
  setImmediate(resolve);
});

/** Answers when told to, with what was true when it was asked. */
class Oracle {
  truth = 0;
  readonly asked: (() => void)[] = [];
  readonly ask = (): Promise<number> => {
    const { truth } = this;
    return new Promise((resolve) => {
      this.asked.push(() => resolve(truth));
    });
  };
}

describe('SharedQuestion', () => {
  it('is asked once for all who come in one turn of the event loop', async () => {
    const oracle = new Oracle();
    const shared = new SharedQuestion(oracle.ask);
    const answers = Array.from({ length: 100 }, () => shared.answer());
    await turn();
    assert.equal(oracle.asked.length, 1);
    oracle.asked[0]?.();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([0]));
  });

  it('tells nobody what was asked before they came, and asks four times at once at most',
    async () => {
      const oracle = new Oracle();
      const shared = new SharedQuestion(oracle.ask);
      const answers: Promise<number>[] = [];
      for (let come = 0; come < 10; come += 1) {
        oracle.truth = come;
        answers.push(shared.answer());
        await turn();
      }
      assert.equal(oracle.asked.length, 4);
      oracle.asked[0]?.();
      assert.equal(await answers[0], 0);
      await turn();
      assert.equal(oracle.asked.length, 5, 'the six that waited share the next');
      for (const answer of oracle.asked) answer();
      assert.deepEqual(await Promise.all(answers), [0, 1, 2, 3, 9, 9, 9, 9, 9, 9]);
    });

  it('fails for those who shared a question, and for nobody after them', async () => {
    let isAway = true;
    const shared = new SharedQuestion(async () => {
      if (isAway) throw new Error('away');
      return 1;
    });
    const ends = await Promise.allSettled([shared.answer(), shared.answer()]);
    assert.deepEqual(ends.map(({ status }) => status), ['rejected', 'rejected']);
    isAway = false;
    assert.equal(await shared.answer(), 1);
  });
});
