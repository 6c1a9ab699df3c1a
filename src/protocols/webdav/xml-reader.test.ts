import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import { parseLockInfo } from './lock-request.ts';
import { keyOf, parsePropfind } from './propfind-request.ts';
import { parseProppatch } from './proppatch-request.ts';
import { DEPTH_MAX, NODES_MAX, readXml, textOf } from './xml-reader.ts';

const invalid = (error: unknown): boolean =>
  error instanceof HoldfastError && error.kind === 'invalid';

const manyAttributes = Array.from({ length: NODES_MAX }, (_, n) => `b${n}=""`).join(' ');
const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);

describe('the XML reader', () => {
  const refused: [string, string | Uint8Array][] = [
    ['nothing', ''], ['blanks', '  '], ['no element', '<!-- x -->'], ['text', 'hello'],
    ['an open element', '<a>'], ['crossed elements', '<a><b></a></b>'], ['two roots', '<a/><b/>'],
    ['text behind the root', '<a/>x'], ['an unbound prefix', '<d:a/>'],
    ['an undeclared prefix', '<a xmlns:d=""/>'], ['an attribute twice', '<a b="1" b="2"/>'],
    ['a control character', '<a>\x01</a>'], ['a reference to one', '<a>&#1;</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an empty doctype', '<!DOCTYPE a><a/>'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'],
    ['an outside entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
    ['deep nesting', nested(DEPTH_MAX + 1)],
    ['too many elements', `<a>${'<b/>'.repeat(NODES_MAX)}</a>`],
    ['too many attributes', `<a ${manyAttributes}/>`],
    ['XML 1.1 to smuggle control characters', '<?xml version="1.1"?><a>&#1;</a>'],
  ];
  for (const [what, xml] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => readXml(Buffer.from(xml)), invalid));
  }

  it('takes what is within its limits', () => {
    assert.equal(readXml(Buffer.from(nested(DEPTH_MAX))).local, 'a');
    const marked = '\ufeff<?xml version="1.0" encoding="utf-8"?><a/>';
    assert.equal(readXml(Buffer.from(marked)).local, 'a');
    const wide = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><ä/>', 'utf16le');
    assert.equal(readXml(wide).local, 'ä');
    assert.equal(readXml(Buffer.from('<a xmlns="u"/>')).namespace, 'u');
  });

  it('reads or refuses whatever bytes come, and never fails in another way', () => {
    const words = fc.constantFrom(
      '<', '>', '/', '</', '<a', '<d:prop', ' xmlns:d="DAV:"', '"', '&', '&amp;', '&#x41;', ']]>',
      '<![CDATA[', '<!--', '-->', '<?xml', '?>', '<!DOCTYPE', 'M', ' ', '\0', '\ud800', 'é',
    );
    const soup = fc.array(words, { maxLength: 40 }).map((all) => Buffer.from(all.join('')));
    const readers = [readXml, parsePropfind, parseProppatch, parseLockInfo];
    fc.assert(fc.property(fc.oneof(soup, fc.uint8Array()), (bytes) => {
      for (const read of readers) {
        try {
          read(bytes);
        } catch (error) {
          assert.ok(invalid(error), String(error));
        }
      }
    }), { numRuns: 1000 });
  });
});

describe('a PROPFIND', () => {
  const parse = (xml: string): unknown => parsePropfind(Buffer.from(xml));

  it('without a body asks for all', () => {
    assert.deepEqual(parsePropfind(Buffer.alloc(0)), { kind: 'allprop', include: [] });
  });

  it('with a stray letter behind its properties is understood', () => {
    const xml = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop>M</d:propfind>';
    const names = [{ namespace: 'DAV:', local: 'getetag' }];
    assert.deepEqual(parse(xml), { kind: 'prop', names });
  });

  it('tells apart equal names of different namespaces, and none from some', () => {
    const inner = '<a/><a xmlns="u"/><a xmlns=""/><a/>';
    const xml = `<propfind xmlns="DAV:"><prop>${inner}</prop></propfind>`;
    const names = ['DAV:', 'u', ''].map((namespace) => ({ namespace, local: 'a' }));
    assert.deepEqual(parse(xml), { kind: 'prop', names });
    assert.notEqual(keyOf('u', 'a'), keyOf('', 'a'));
  });

  it('can ask for names, and for all with inclusions', () => {
    assert.deepEqual(parse('<propfind xmlns="DAV:"><propname/></propfind>'), { kind: 'propname' });
    const xml = '<propfind xmlns="DAV:"><allprop/><include><x/></include></propfind>';
    const include = [{ namespace: 'DAV:', local: 'x' }];
    assert.deepEqual(parse(xml), { kind: 'allprop', include });
  });

  it('of another form is refused', () => {
    const others = [
      '<propfind/>', '<propfind xmlns="DAV:"/>', '<prop xmlns="DAV:"/>',
      '<propfind xmlns="other:"/>',
    ];
    for (const xml of others) assert.throws(() => parse(xml), invalid, xml);
  });
});

describe('a PROPPATCH', () => {
  const parse = (inner: string): ReturnType<typeof parseProppatch> => parseProppatch(
    Buffer.from(`<D:propertyupdate xmlns:D="DAV:" xmlns:o="outer">${inner}</D:propertyupdate>`),
  );
  const set = (inner: string): string => `<D:set><D:prop>${inner}</D:prop></D:set>`;
  const remove = (inner: string): string => `<D:remove><D:prop>${inner}</D:prop></D:remove>`;

  it('keeps a value with the namespaces that were in scope around it', () => {
    const inner = '<p xmlns="q"><o:child o:at="1">o:name</o:child><plain/></p>';
    const [property] = parse(set(inner)).set;
    assert.equal(property?.namespace, 'q');
    // Wherever it is put, it must mean the same.
    const again = readXml(Buffer.from(`<x>${property?.xml ?? ''}</x>`));
    const [child, plain] = again.children.filter((one) => typeof one !== 'string');
    assert.equal(child?.namespace, 'outer');
    assert.equal(child?.local, 'child');
    assert.deepEqual(child?.attributes, [{ name: 'o:at', value: '1' }]);
    assert.deepEqual(child?.children, ['o:name']);
    assert.equal(plain?.namespace, 'q');
    assert.equal(child?.declares['o'], 'outer');
  });

  it('keeps values without any namespace, beyond the basic plane, and with markup in them', () => {
    const xml = '<p xmlns=""><q xmlns="u"><r xmlns=""/></q>'
      + '😀 &lt;b&gt; &amp; ]]&gt;<![CDATA[<x>]]></p>';
    const [property] = parse(set(xml)).set;
    assert.equal(property?.namespace, '');
    const again = readXml(Buffer.from(`<x>${property?.xml ?? ''}</x>`));
    const [q] = again.children;
    assert.ok(q !== undefined && typeof q !== 'string' && q.namespace === 'u');
    const [r] = q.children;
    assert.ok(r !== undefined && typeof r !== 'string' && r.namespace === '');
    assert.equal(textOf(again), '😀 <b> & ]]><x>');
  });

  it('counts the last word on each name', () => {
    const both = parse(set('<o:a>1</o:a><o:b/>') + remove('<o:a/>') + set('<o:b>2</o:b>'));
    assert.deepEqual(both.remove, [{ namespace: 'outer', name: 'a' }]);
    assert.deepEqual(both.set, [{ namespace: 'outer', name: 'b', xml: '2' }]);
  });

  it('may not set what the server works out, and says which', () => {
    const { refused, names } = parse(set('<D:getetag>x</D:getetag><o:a/>'));
    assert.deepEqual(refused.map(({ local }) => local), ['getetag']);
    assert.equal(names.length, 2);
  });

  it('brings times in the spellings that clients have', () => {
    assert.equal(parse(set('<D:lastmodified>1700000000</D:lastmodified>')).modifiedAt, 1.7e12);
    const win32 = '<w:Win32LastModifiedTime xmlns:w="urn:schemas-microsoft-com:">'
      + 'Tue, 14 Nov 2023 22:13:20 GMT</w:Win32LastModifiedTime>';
    assert.equal(parse(set(win32)).modifiedAt, 1.7e12);
    assert.equal(parse(set('<D:lastmodified>soon</D:lastmodified>')).modifiedAt, undefined);
    assert.equal(parse(remove('<D:lastmodified/>')).modifiedAt, undefined);
  });

  it('without a property is refused', () => {
    for (const inner of ['', set(''), '<D:set/>', '<o:set><D:prop><o:a/></D:prop></o:set>']) {
      assert.throws(() => parse(inner), invalid, inner);
    }
  });
});
