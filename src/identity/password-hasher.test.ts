import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../base/errors.ts';
import { PasswordHasher } from './password-hasher.ts';
import { parsePhc } from './phc.ts';

const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

function hasherOf(cost = CHEAP, waitingMax = 64): PasswordHasher {
  return new PasswordHasher({ cost, atOnceMax: 2, waitingMax });
}

describe('PasswordHasher', () => {
  it('verifies the password it hashed, and no other', async () => {
    const hasher = hasherOf();
    const phc = await hasher.hash('correct horse');
    assert.deepEqual(parsePhc(phc).cost, CHEAP);
    assert.equal(await hasher.verify('correct horse', phc), true);
    assert.equal(await hasher.verify('correct horsE', phc), false);
    assert.equal(await hasher.verify('', phc), false);
  });

  it('hashes the same password differently each time', async () => {
    const hasher = hasherOf();
    assert.notEqual(await hasher.hash('correct horse'), await hasher.hash('correct horse'));
  });

  it('takes the composed and the decomposed spelling for one password', async () => {
    const hasher = hasherOf();
    const phc = await hasher.hash('Zürich am See'.normalize('NFC'));
    assert.equal(await hasher.verify('Zürich am See'.normalize('NFD'), phc), true);
  });

  it('answers false where there is no hash, after as much work', async () => {
    const cost = { memoryKib: 8 * 1024, passes: 2, parallelism: 1 };
    const hasher = hasherOf(cost);
    const phc = await hasher.hash('correct horse');
    const timeOf = async (stored: string | undefined): Promise<number> => {
      const times: number[] = [];
      for (let run = 0; run < 5; run += 1) {
        const begin = performance.now();
        assert.equal(await hasher.verify('wrong horse', stored), false);
        times.push(performance.now() - begin);
      }
      return Math.min(...times);
    };
    // The work takes several ms; no work at all would take a hundredth of that.
    assert.ok(await timeOf(undefined) > (await timeOf(phc)) / 4);
  });

  it('knows a hash that is cheaper than those made today', async () => {
    const phc = await hasherOf().hash('correct horse');
    assert.equal(hasherOf().isOutdated(phc), false);
    assert.equal(hasherOf({ ...CHEAP, memoryKib: 16 }).isOutdated(phc), true);
    assert.equal(hasherOf({ ...CHEAP, passes: 2 }).isOutdated(phc), true);
    const costly = await hasherOf({ memoryKib: 64, passes: 2, parallelism: 1 }).hash('x');
    assert.equal(hasherOf().isOutdated(costly), false, 'a costlier one is fine');
  });

  it('refuses with busy once its queue is full, and works again afterwards', async () => {
    const hasher = hasherOf(CHEAP, 3);
    const phc = await hasher.hash('correct horse');
    const all = Array.from({ length: 10 }, () => hasher.verify('correct horse', phc));
    const ends = await Promise.allSettled(all);
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 2 + 3);
    for (const end of ends) {
      if (end.status === 'fulfilled') continue;
      assert.ok(end.reason instanceof HoldfastError && end.reason.kind === 'busy');
      assert.ok(Number(end.reason.facts['retryAfterMs']) > 0);
    }
    assert.equal(await hasher.verify('correct horse', phc), true);
  });

  it('gives its place on after a failure', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP, atOnceMax: 1, waitingMax: 0 });
    for (let time = 0; time < 3; time += 1) {
      await assert.rejects(hasher.verify('x', 'no phc'), (error) => isKind(error, 'corrupt'));
    }
    assert.match(await hasher.hash('correct horse'), /^\$argon2id/);
  });

  it('refuses a cost out of range', () => {
    const wrong = { memoryKib: 7, passes: 1, parallelism: 1 };
    assert.throws(() => hasherOf(wrong), (error) => isKind(error, 'invalid'));
  });
});
