import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { bodyOf } from '../../files/index.ts';
import { parsePath } from '../../base/names.ts';
import { callerNamed, DavSite, FILES } from './testing/dav-site.ts';
import type { Answer, AskOptions } from './testing/dav-site.ts';
import { elementsOf, isDav, readXml, textOf } from './xml-reader.ts';
import type { XmlElement } from './xml-reader.ts';

let site: DavSite;
beforeEach(async (context) => {
  site = await DavSite.open();
  if ('after' in context) context.after(() => site.close());
});

function ask(method: string, path: string, options?: AskOptions): Promise<Answer> {
  return site.ask(method, `${FILES}${path}`, options);
}

const NAMESPACES = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" '
  + 'xmlns:nc="http://nextcloud.org/ns" xmlns:z="urn:z" xmlns:w="urn:schemas-microsoft-com:"';

function asking(props: string): string {
  return `<d:propfind ${NAMESPACES}><d:prop>${props}</d:prop></d:propfind>`;
}

function patching(inner: string): string {
  return `<d:propertyupdate ${NAMESPACES}>${inner}</d:propertyupdate>`;
}

const setting = (props: string): string => patching(`<d:set><d:prop>${props}</d:prop></d:set>`);

interface Seen {
  href: string;
  /** By status: local name to the property's element. */
  props: Record<string, Record<string, XmlElement>>;
}

/** The answer as a client sees it. */
function seenIn({ status, bytes }: Answer): Seen[] {
  assert.equal(status, 207);
  return elementsOf(readXml(bytes)).map((response) => {
    const seen: Seen = { href: '', props: {} };
    for (const part of elementsOf(response)) {
      if (isDav(part, 'href')) seen.href = textOf(part);
      if (!isDav(part, 'propstat')) continue;
      const [prop, state] = elementsOf(part);
      const code = state === undefined ? '' : textOf(state).split(' ')[1] ?? '';
      const found = Object.fromEntries(elementsOf(prop ?? response).map((one) => [one.local, one]));
      seen.props[code] = found;
    }
    return seen;
  });
}

async function propsOf(
  path: string, body: string, headers: Record<string, string> = {},
): Promise<Seen> {
  const answer = await ask('PROPFIND', path, { body, headers: { depth: '0', ...headers } });
  const [seen] = seenIn(answer);
  assert.ok(seen !== undefined);
  return seen;
}

function text(seen: Seen, local: string): string | undefined {
  const element = seen.props['200']?.[local];
  return element && textOf(element);
}

describe('PROPFIND', () => {
  const desktop = asking('<d:resourcetype/><d:getlastmodified/><d:getcontentlength/><d:getetag/>'
    + '<oc:size/><oc:id/><oc:fileid/><oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/>'
    + '<oc:share-types/><oc:data-fingerprint/><nc:is-encrypted/>');

  it('answers what desktop clients ask of a file', async () => {
    const sum = 'SHA1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d';
    const headers = { 'OC-Checksum': sum, 'X-OC-Mtime': '1700000000' };
    const put = await ask('PUT', '/a.txt', { body: 'hello', headers });
    const seen = await propsOf('/a.txt', desktop);
    assert.equal(seen.href, `${FILES}/a.txt`);
    assert.deepEqual(seen.props['200']?.['resourcetype']?.children, []);
    assert.equal(text(seen, 'getlastmodified'), 'Tue, 14 Nov 2023 22:13:20 GMT');
    assert.equal(text(seen, 'getcontentlength'), '5');
    assert.equal(text(seen, 'getetag'), put.headers.etag);
    assert.equal(text(seen, 'size'), '5');
    assert.equal(text(seen, 'id'), put.headers['oc-fileid']);
    assert.equal(Number(text(seen, 'fileid')), Number.parseInt(text(seen, 'id') ?? '', 10));
    assert.equal(text(seen, 'permissions'), 'RGDNVW');
    const [checksum] = elementsOf(seen.props['200']?.['checksums'] as XmlElement);
    assert.equal(checksum && textOf(checksum), sum);
    assert.equal(text(seen, 'data-fingerprint'), '');
    assert.deepEqual(Object.keys(seen.props['404'] ?? {}).sort(), ['dDC', 'downloadURL']);
  });

  it('answers what desktop clients ask of a folder', async () => {
    await ask('MKCOL', '/dir');
    await ask('PUT', '/dir/a', { body: 'hello' });
    const seen = await propsOf('/dir', desktop);
    assert.equal(seen.href, `${FILES}/dir/`);
    const [type] = elementsOf(seen.props['200']?.['resourcetype'] as XmlElement);
    assert.ok(type !== undefined && isDav(type, 'collection'));
    assert.equal(text(seen, 'size'), '5');
    assert.equal(text(seen, 'permissions'), 'RGDNVCK');
    assert.ok('getcontentlength' in (seen.props['404'] ?? {}));
    assert.ok('checksums' in (seen.props['404'] ?? {}));
  });

  it('has the folder first, then its members, and a file alone at any depth', async () => {
    await ask('MKCOL', '/dir');
    for (const name of ['b', 'a', 'c%20%C3%A4']) await ask('PUT', `/dir/${name}`, { body: 'x' });
    await ask('MKCOL', '/dir/sub');
    const list = async (path: string): Promise<string[]> =>
      seenIn(await ask('PROPFIND', path, { headers: { depth: '1' } })).map(({ href }) => href);
    const names = ['', 'a', 'b', 'c%20%C3%A4', 'sub/'];
    assert.deepEqual(await list('/dir'), names.map((name) => `${FILES}/dir/${name}`));
    assert.deepEqual(await list('/dir/'), names.map((name) => `${FILES}/dir/${name}`));
    assert.deepEqual(await list('/dir/a'), [`${FILES}/dir/a`]);
  });

  it('lists every member once, over many pages', async () => {
    const anna = callerNamed('anna');
    const names = Array.from({ length: 1503 }, (_, n) => `f${String(n).padStart(5, '0')}`);
    for (const name of names) await site.files.upload(anna, parsePath([name]), bodyOf());
    const body = asking('<d:getetag/>');
    const answer = await ask('PROPFIND', '/', { headers: { depth: '1' }, body });
    assert.equal(answer.headers['transfer-encoding'], 'chunked');
    const hrefs = [...answer.text.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href]) => href);
    assert.deepEqual(hrefs, [`${FILES}/`, ...names.map((name) => `${FILES}/${name}`)]);
    assert.ok(answer.text.endsWith('</d:multistatus>\n'));
  });

  it('gives one page a length', async () => {
    const answer = await ask('PROPFIND', '/', { headers: { depth: '1' } });
    assert.equal(answer.headers['content-length'], String(answer.bytes.length));
  });

  it('of depth infinity, of no depth and of another depth is refused', async () => {
    for (const headers of [{ depth: 'infinity' }, {}]) {
      const answer = await ask('PROPFIND', '/', { headers });
      assert.equal(answer.status, 403);
      assert.match(answer.text, /<d:propfind-finite-depth>/);
    }
    assert.equal((await ask('PROPFIND', '/', { headers: { depth: '2' } })).status, 400);
  });

  it('of nothing is 404, and never an empty listing', async () => {
    for (const depth of ['0', '1']) {
      assert.equal((await ask('PROPFIND', '/no', { headers: { depth } })).status, 404);
    }
  });

  it('with a body that cannot be read is refused before anything is looked up', async () => {
    const bodies: [string | Buffer, number][] = [
      ['<', 400], ['<d:propfind xmlns:d="DAV:">', 400], ['hello', 400],
      ['<!DOCTYPE x [<!ENTITY a "b">]><propfind xmlns="DAV:"><allprop/></propfind>', 400],
      [Buffer.from([0xff, 0xfe, 0xff]), 400], [Buffer.alloc(64 * 1024 + 1, ' '), 413],
      [`${'<a>'.repeat(5000)}`, 400],
    ];
    for (const [body, status] of bodies) {
      for (const chunked of [false, true]) {
        const answer = await ask('PROPFIND', '/', { body, chunked, headers: { depth: '0' } });
        assert.equal(answer.status, status, String(body).slice(0, 40));
      }
    }
  });

  it('understands the stray letter that one client sends', async () => {
    const body = '<propfind xmlns="DAV:"><prop><getetag/></prop>M</propfind>';
    assert.match(text(await propsOf('/', body), 'getetag') ?? '', /^"/);
  });

  it('keeps what stands before a property that a file happens not to have', async () => {
    await ask('PUT', '/a', { body: 'x' });
    const seen = await propsOf('/a', asking('<d:resourcetype/><oc:checksums/><oc:permissions/>'));
    assert.deepEqual(Object.keys(seen.props['200'] ?? {}), ['resourcetype', 'permissions']);
    assert.deepEqual(Object.keys(seen.props['404'] ?? {}), ['checksums']);
  });

  it('leaves out what is missing when the client prefers that', async () => {
    const seen = await propsOf('/', asking('<d:getetag/><z:no/>'), { Prefer: 'return=minimal' });
    assert.deepEqual(Object.keys(seen.props), ['200']);
  });

  it('tells names alone, and all', async () => {
    await ask('PUT', '/a', { body: 'x' });
    await ask('PROPPATCH', '/a', { body: setting('<z:mine>1</z:mine>') });
    const names = await propsOf('/a', `<d:propfind ${NAMESPACES}><d:propname/></d:propfind>`);
    assert.ok('mine' in (names.props['200'] ?? {}));
    assert.equal(text(names, 'getetag'), '');
    const all = await propsOf('/a', '');
    for (const local of ['getetag', 'creationdate', 'displayname', 'lockdiscovery', 'mine']) {
      assert.ok(local in (all.props['200'] ?? {}), local);
    }
    assert.ok(!('quota-used-bytes' in (all.props['200'] ?? {})));
    const include = `<d:propfind ${NAMESPACES}><d:allprop/>`
      + '<d:include><oc:id/><z:mine/></d:include></d:propfind>';
    const more = await propsOf('/a', include);
    assert.match(text(more, 'id') ?? '', /hftest$/);
    assert.equal(text(more, 'mine'), '1');
    assert.equal(more.props['404'], undefined);
  });

  it('tells the quota of a folder', async () => {
    await ask('PUT', '/a', { body: 'hello' });
    const quota = asking('<d:quota-available-bytes/><d:quota-used-bytes/>');
    const unlimited = await propsOf('/', quota);
    assert.equal(text(unlimited, 'quota-available-bytes'), '-3');
    assert.equal(text(unlimited, 'quota-used-bytes'), '5');
    assert.deepEqual(Object.keys((await propsOf('/a', quota)).props['404'] ?? {}).length, 2);
  });

  it('shows names that XML cannot carry, without breaking', async () => {
    const name = 'a\u0001<&>\ufffe';
    await ask('PUT', `/${encodeURIComponent(name)}`, { body: 'x' });
    const body = asking('<d:displayname/>');
    const answer = await ask('PROPFIND', '/', { headers: { depth: '1' }, body });
    const [, member] = seenIn(answer);
    assert.equal(text(member as Seen, 'displayname'), 'a\ufffd<&>\ufffd');
    assert.equal(decodeURIComponent(member?.href ?? ''), `${FILES}/${name}`);
  });
});

describe('PROPPATCH', () => {
  beforeEach(async () => {
    await ask('PUT', '/a', { body: 'x' });
  });

  it('keeps what it does not understand, through MOVE and COPY', async () => {
    const value = '<z:b at="1">😀 &lt;</z:b><c xmlns=""/>';
    const answer = await ask('PROPPATCH', '/a', {
      body: setting(`<z:p>${value}</z:p><q xmlns="">plain</q><z:empty/>`),
    });
    const [response] = seenIn(answer);
    assert.deepEqual(Object.keys(response?.props['200'] ?? {}).sort(), ['empty', 'p', 'q']);
    await ask('COPY', '/a', { headers: { Destination: `${FILES}/b` } });
    await ask('MOVE', '/a', { headers: { Destination: `${FILES}/c` } });
    for (const path of ['/b', '/c']) {
      const seen = await propsOf(path, asking('<z:p/><q xmlns=""/><z:empty/><z:other/>'));
      const [b, c] = elementsOf(seen.props['200']?.['p'] as XmlElement);
      assert.deepEqual([b?.namespace, b?.children, b?.attributes],
        ['urn:z', ['😀 <'], [{ name: 'at', value: '1' }]]);
      assert.deepEqual([c?.namespace, c?.local], ['', 'c']);
      assert.equal(text(seen, 'q'), 'plain');
      assert.equal(text(seen, 'empty'), '');
      assert.deepEqual(Object.keys(seen.props['404'] ?? {}), ['other']);
    }
  });

  it('does all or nothing', async () => {
    const body = setting('<z:p>1</z:p><d:getetag>x</d:getetag><z:q>1</z:q>');
    const [response] = seenIn(await ask('PROPPATCH', '/a', { body }));
    assert.deepEqual(Object.keys(response?.props['403'] ?? {}), ['getetag']);
    assert.deepEqual(Object.keys(response?.props['424'] ?? {}), ['p', 'q']);
    assert.deepEqual(Object.keys((await propsOf('/a', asking('<z:p/><z:q/>'))).props['404'] ?? {}),
      ['p', 'q']);
  });

  it('removes, and is calm about what was not there', async () => {
    await ask('PROPPATCH', '/a', { body: setting('<z:p>1</z:p>') });
    const body = patching('<d:remove><d:prop><z:p/><z:never/></d:prop></d:remove>');
    const [response] = seenIn(await ask('PROPPATCH', '/a', { body }));
    assert.deepEqual(Object.keys(response?.props['200'] ?? {}), ['p', 'never']);
    assert.ok('p' in ((await propsOf('/a', asking('<z:p/>'))).props['404'] ?? {}));
  });

  it('marks a favourite', async () => {
    const favorite = asking('<oc:favorite/>');
    assert.equal(text(await propsOf('/a', favorite), 'favorite'), '0');
    await ask('PROPPATCH', '/a', { body: setting('<oc:favorite>1</oc:favorite>') });
    assert.equal(text(await propsOf('/a', favorite), 'favorite'), '1');
    const headers = { depth: '1' };
    const [, member] = seenIn(await ask('PROPFIND', '/', { body: favorite, headers }));
    assert.equal(text(member as Seen, 'favorite'), '1');
  });

  it('sets the time of a file in the words of several clients', async () => {
    const win32 = '<w:Win32LastModifiedTime>Tue, 14 Nov 2023 22:13:20 GMT'
      + '</w:Win32LastModifiedTime><w:Win32FileAttributes>00000020</w:Win32FileAttributes>';
    for (const props of [win32, '<d:lastmodified>1700000001</d:lastmodified>']) {
      const [response] = seenIn(await ask('PROPPATCH', '/a', { body: setting(props) }));
      assert.deepEqual(Object.keys(response?.props ?? {}), ['200']);
    }
    const { headers } = await ask('HEAD', '/a');
    assert.equal(headers['last-modified'], 'Tue, 14 Nov 2023 22:13:21 GMT');
    const asked = asking('<d:lastmodified/><w:Win32FileAttributes/>');
    const seen = await propsOf('/a', asked);
    assert.equal(text(seen, 'Win32FileAttributes'), '00000020');
    assert.equal(text(seen, 'lastmodified'), '1700000001');
  });

  it('refuses nonsense, too much, and what is not there', async () => {
    const attempts: [string, string, number][] = [
      ['/a', '', 400], ['/a', '<x/>', 400], ['/a', patching(''), 400],
      ['/no', setting('<z:p/>'), 404],
      ['/a', setting(`<z:p>${'x'.repeat(300 * 1024)}</z:p>`), 413],
      ['/a', setting(`<z:p>${'x'.repeat(400 * 1024)}</z:p>`), 413],
    ];
    for (const [path, body, status] of attempts) {
      assert.equal((await ask('PROPPATCH', path, { body })).status, status, body.slice(0, 60));
    }
    const refused = { body: setting('<z:p>1</z:p>'), headers: { 'If-Match': '"x"' } };
    assert.equal((await ask('PROPPATCH', '/a', refused)).status, 412);
  });
});
