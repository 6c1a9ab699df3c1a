import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { escapeAttribute, escapeText } from './xml-text.ts';
import { readXml, textOf } from './webdav/xml-reader.ts';

/** What XML 1.0 can carry at all. */
function carried(text: string): string {
   
  return text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
}

describe('escaped text', () => {
  it('is read back as it was, between tags and between quotes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const xml = `<a b="${escapeAttribute(text)}">${escapeText(text)}</a>`;
      const root = readXml(Buffer.from(xml));
      assert.equal(textOf(root), carried(text));
      assert.equal(root.attributes[0]?.value, carried(text));
    }));
  });

  it('shows a replacement for what XML cannot carry', () => {
    assert.equal(escapeText('a\0\x1f\ufffeb\ud800'), 'a\ufffd\ufffd\ufffdb\ufffd');
    assert.equal(escapeText('tab\tline\n'), 'tab\tline\n');
    assert.equal(escapeText('<&">\r'), '&lt;&amp;&quot;&gt;&#13;');
    assert.equal(escapeText('😀'), '😀');
  });
});
