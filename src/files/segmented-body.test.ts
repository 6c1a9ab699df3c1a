import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyCut, bodyOf } from './body.ts';
import type { BodySource } from './body.ts';
import { putInSegments } from './segmented-body.ts';

const WAIT = { timeout: 60_000 };

describe('a body in segments', WAIT, () => {
  const stored: string[] = [];
  const put = async (segment: BodySource): Promise<void> => {
    let text = '';
    await segment.pour(async (piece) => {
      await Promise.resolve();
      text += Buffer.from(piece).toString();
    });
    stored.push(text);
  };
  const body = (...texts: string[]) => bodyOf(...texts.map((text) => Buffer.from(text)));

  it('is cut where segments end, wherever pieces do', async () => {
    stored.length = 0;
    assert.equal(await putInSegments(body('abcdefg', 'h', 'ijk'), put, { segmentBytes: 3 }), 11);
    assert.deepEqual(stored, ['abc', 'def', 'ghi', 'jk']);
    stored.length = 0;
    assert.equal(await putInSegments(body(), put), 0);
    assert.deepEqual(stored, []);
  });

  it('that breaks off leaves what has arrived', async () => {
    stored.length = 0;
    const broken: BodySource = {
      lengthBytes: 9,
      async pour(take) {
        await take(Buffer.from('abcd'));
        throw bodyCut();
      },
    };
    await assert.rejects(putInSegments(broken, put, { segmentBytes: 3 }), { code: 'body-cut' });
    assert.deepEqual(stored, ['abc', 'd']);
  });

  it('that breaks off while a piece is being taken has that piece stored whole', async () => {
    stored.length = 0;
    const slow = async (segment: BodySource): Promise<void> => {
      let [announced, text] = [0, ''];
      await segment.pour(async (piece) => {
        announced += piece.length;
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
        text += Buffer.from(piece).toString();
      });
      stored.push(`${announced} ${text}`);
    };
    const broken: BodySource = {
      lengthBytes: 9,
      async pour(take) {
        void take(Buffer.from('abcd'));
        throw bodyCut();
      },
    };
    await assert.rejects(putInSegments(broken, slow, { segmentBytes: 3 }), { code: 'body-cut' });
    assert.deepEqual(stored, ['3 abc', '1 d']);
  });

  it('stops when a segment cannot be stored, before it asks for more', async () => {
    let puts = 0;
    const failing = async (segment: BodySource): Promise<void> => {
      puts += 1;
      if (puts === 2) throw new Error('full');
      await put(segment);
    };
    const pouring = putInSegments(body('abc', 'def', 'ghi'), failing, { segmentBytes: 3 });
    await assert.rejects(pouring, /full/);
    assert.equal(puts, 2);
    const late = async (segment: BodySource): Promise<void> => {
      await segment.pour(() => {
        throw new Error('refused');
      });
    };
    await assert.rejects(putInSegments(body('abc'), late), /refused/);
  });
});
