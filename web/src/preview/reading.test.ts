import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { piecesOf } from './code-pieces.ts';
import { blocksOf } from './markdown-blocks.ts';

describe('Markdown', () => {
  it('divides into the blocks that people write', () => {
    const text = '# Head\nwords\nmore\n\n- [x] done\n  - below\n\n```\n# code\n```\n> said\n\n---\n'
      + '| a | b |\n|---|:-:|\n| 1 | 2 |\n';
    assert.deepEqual(blocksOf(text), [
      { kind: 'heading', level: 1, text: 'Head' },
      { kind: 'paragraph', text: 'words more' },
      {
        kind: 'list', isOrdered: false, items: [
          { text: 'done', depth: 0, isDone: true }, { text: 'below', depth: 1, isDone: undefined },
        ],
      },
      { kind: 'code', text: '# code' },
      { kind: 'quote', text: 'said' },
      { kind: 'line' },
      { kind: 'table', head: ['a', 'b'], rows: [['1', '2']] },
    ]);
  });

  it('comes to an end with whatever is in the file', () => {
    for (const text of ['```', '- ', '>', '|', '|\n|-', '#', '\r\n', '****', '1. x\n\ty']) {
      assert.ok(Array.isArray(blocksOf(text)), text);
    }
  });
});

describe('source text', () => {
  it('loses nothing by its colours', () => {
    const text = 'const a = "x // y"; // why\nlet n = 12; /* b */ `t`';
    const pieces = piecesOf(text, 'ts');
    assert.equal(pieces.map((piece) => piece.text).join(''), text);
    const found = pieces.filter(({ kind }) => kind !== 'plain').map((piece) => piece.text);
    assert.deepEqual(found, ['const', '"x // y"', '// why', 'let', '12', '/* b */', '`t`']);
  });
});
