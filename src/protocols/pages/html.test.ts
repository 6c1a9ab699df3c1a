import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { html } from './html.ts';

it('escapes every text, in content and in attributes', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const { text: inside } = html`${text}`;
    assert.doesNotMatch(inside, /[<>"']/);
    assert.doesNotMatch(inside, /&(?!(?:amp|lt|gt|quot|#39);)/);
    assert.ok(inside.isWellFormed());
  }));
});

it('leaves its own pieces as they are, and writes nothing for what is not there', () => {
  const list = ['<a>', '&'].map((text) => html`<li>${text}</li>`);
  assert.equal(html`<ul>${list}${undefined}${false}${0}</ul>`.text,
    '<ul><li>&lt;a&gt;</li><li>&amp;</li>0</ul>');
});

it('drops characters that hide or turn what stands beside them', () => {
  assert.equal(html`${'a\u202eb\u2066c\0d\ne'}`.text, 'abcde');
});
