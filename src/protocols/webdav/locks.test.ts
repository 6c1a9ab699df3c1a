import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { DavSite, FILES } from './testing/dav-site.ts';
import type { Answer, AskOptions } from './testing/dav-site.ts';

let site: DavSite;
beforeEach(async (context) => {
  site = await DavSite.open();
  if ('after' in context) context.after(() => site.close());
  await ask('PUT', '/a', { body: 'x' });
  await ask('MKCOL', '/dir');
  await ask('PUT', '/dir/b', { body: 'x' });
});

function ask(method: string, path: string, options?: AskOptions): Promise<Answer> {
  return site.ask(method, `${FILES}${path}`, options);
}

function info(scope: 'exclusive' | 'shared' = 'exclusive'): string {
  return '<D:lockinfo xmlns:D="DAV:" xmlns:z="urn:z">'
    + `<D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype>`
    + '<D:owner><z:me>Anna &amp; Co</z:me></D:owner></D:lockinfo>';
}

async function lock(
  path: string, scope?: 'exclusive' | 'shared', headers: Record<string, string> = {},
): Promise<string> {
  const answer = await ask('LOCK', path, { body: info(scope), headers });
  assert.ok(answer.status === 200 || answer.status === 201, `${answer.status} ${answer.text}`);
  const header = String(answer.headers['lock-token']);
  const token = /^<(opaquelocktoken:[0-9a-f-]{36})>$/.exec(header)?.[1];
  assert.ok(token !== undefined && answer.text.includes(token));
  return token;
}

const shown = (token: string): AskOptions => ({ headers: { If: `(<${token}>)` } });

async function discovery(path: string, depth = '0'): Promise<string> {
  const body = '<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>';
  return (await ask('PROPFIND', path, { body, headers: { depth } })).text;
}

describe('LOCK', () => {
  it('keeps everybody out who does not show the token', async () => {
    const token = await lock('/a');
    const patch = '<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>';
    const attempts: [string, AskOptions][] = [
      ['PUT', { body: 'y' }], ['DELETE', {}], ['MOVE', { headers: { Destination: `${FILES}/c` } }],
      ['PROPPATCH', { body: patch }],
    ];
    for (const [method, options] of attempts) {
      const answer = await ask(method, '/a', options);
      assert.equal(answer.status, 423, method);
      assert.match(answer.text, /<d:lock-token-submitted><d:href>[^<]+\/a<\/d:href>/);
      assert.match(answer.text, /<s:exception>Sabre\\DAV\\Exception\\Locked</);
    }
    assert.equal((await ask('GET', '/a')).text, 'x');
    assert.equal((await ask('PUT', '/a', { body: 'y', ...shown(token) })).status, 204);
  });

  it('is not opened by a token alone that stands behind Not, or is another', async () => {
    const token = await lock('/a');
    const negated = { If: `(Not <${token}>)` };
    assert.equal((await ask('PUT', '/a', { body: 'y', headers: negated })).status, 412);
    const other = { If: '(<opaquelocktoken:no>) (Not <DAV:no-lock>)' };
    assert.equal((await ask('PUT', '/a', { body: 'y', headers: other })).status, 423);
  });

  it('on an address where nothing is makes an empty file', async () => {
    const answer = await ask('LOCK', '/new', { body: info() });
    assert.equal(answer.status, 201);
    assert.equal((await ask('GET', '/new')).text, '');
    assert.equal((await ask('PUT', '/new', { body: 'y' })).status, 423);
    assert.equal((await ask('LOCK', '/no/new', { body: info() })).status, 409);
  });

  it('is shared among those who share, and exclusive otherwise', async () => {
    await lock('/a', 'shared');
    await lock('/a', 'shared');
    const refused = await ask('LOCK', '/a', { body: info() });
    assert.equal(refused.status, 423);
    assert.match(refused.text, /<d:no-conflicting-lock>/);
    await lock('/dir/b');
    assert.equal((await ask('LOCK', '/dir/b', { body: info('shared') })).status, 423);
  });

  it('of a folder covers what is in it, or only its list of members', async () => {
    const deep = await lock('/dir');
    assert.equal((await ask('PUT', '/dir/b', { body: 'y' })).status, 423);
    assert.equal((await ask('PUT', '/dir/new', { body: 'y' })).status, 423);
    const tagged = { If: `<${site.server.url}${FILES}/dir/> (<${deep}>)` };
    assert.equal((await ask('PUT', '/dir/new', { body: 'y', headers: tagged })).status, 201);
    const unlock = { headers: { 'Lock-Token': `<${deep}>` } };
    assert.equal((await ask('UNLOCK', '/dir/b', unlock)).status, 204);
    await lock('/dir', 'exclusive', { Depth: '0' });
    assert.equal((await ask('PUT', '/dir/b', { body: 'y' })).status, 204);
    assert.equal((await ask('PUT', '/dir/newer', { body: 'y' })).status, 423);
  });

  it('is the same lock under every root', async () => {
    const token = await lock('/a');
    const webdav = '/remote.php/webdav/a';
    assert.equal((await site.ask('PUT', webdav, { body: 'y' })).status, 423);
    for (const tag of [`${FILES}/a`, webdav, '/dav/a', `${site.server.url}/dav/a`]) {
      const headers = { If: `<${tag}> (<${token}>)` };
      assert.equal((await site.ask('PUT', webdav, { body: 'y', headers })).status, 204, tag);
    }
  });

  it('goes with If-Match on one request', async () => {
    const token = await lock('/a');
    const { headers: { etag = '' } } = await ask('HEAD', '/a');
    const put = (match: string): Promise<Answer> => ask('PUT', '/a', {
      body: 'y', headers: { 'If-Match': match, If: `(<${token}>)` },
    });
    assert.equal((await put('"x"')).status, 412);
    assert.equal((await put(etag)).status, 204);
  });

  it('ends by itself, unless it is renewed in time', async () => {
    const token = await lock('/a', 'exclusive', { Timeout: 'Second-60' });
    assert.match(await discovery('/a'), /<d:timeout>Second-60</);
    site.clock.advance(59_000);
    const renewal = { Timeout: 'Second-60', If: `(<${token}>)` };
    const renewed = await ask('LOCK', '/a', { headers: renewal });
    assert.equal(renewed.status, 200);
    assert.ok(renewed.text.includes(token));
    site.clock.advance(59_000);
    assert.equal((await ask('PUT', '/a', { body: 'y' })).status, 423);
    site.clock.advance(2_000);
    assert.equal((await ask('PUT', '/a', { body: 'y' })).status, 204);
    assert.equal((await ask('LOCK', '/a', { headers: { If: `(<${token}>)` } })).status, 412);
  });

  it('without a body renews only what it names, and never makes a lock', async () => {
    assert.equal((await ask('LOCK', '/a')).status, 400);
    assert.equal((await ask('LOCK', '/a', shown('opaquelocktoken:no'))).status, 412);
    assert.equal(await discovery('/a').then((text) => text.includes('activelock')), false);
  });

  it('without a body, for a user, is no wish for more time', async () => {
    const token = await lock('/a', 'exclusive', { Timeout: 'Second-60' });
    const both = { 'X-User-Lock': '1', Timeout: 'Second-600', If: `(<${token}>)` };
    const refused = await ask('LOCK', '/a', { headers: both });
    assert.equal(refused.status, 423, 'one program holds it, and another asks for its person');
    assert.match(await discovery('/a'), /<d:timeout>Second-60</);
  });

  it('of another form is refused', async () => {
    const bodies = [
      '<x/>', '<lockinfo xmlns="DAV:"/>', '<',
      '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope></lockinfo>',
      '<lockinfo xmlns="DAV:"><lockscope><x/></lockscope><locktype><write/></locktype></lockinfo>',
    ];
    for (const body of bodies) assert.equal((await ask('LOCK', '/a', { body })).status, 400, body);
    assert.equal((await ask('LOCK', '/a', { body: info(), headers: { Depth: '1' } })).status, 400);
    assert.equal((await ask('PUT', '/a', { body: 'y' })).status, 204);
  });
});

describe('UNLOCK', () => {
  it('needs the right token, at the right place', async () => {
    const token = await lock('/a');
    const unlock = async (path: string, header?: string): Promise<number> => (await ask(
      'UNLOCK', path, header === undefined ? {} : { headers: { 'Lock-Token': header } },
    )).status;
    assert.equal(await unlock('/a'), 400);
    assert.equal(await unlock('/a', token), 400);
    assert.equal(await unlock('/a', '<opaquelocktoken:no>'), 409);
    assert.equal(await unlock('/dir/b', `<${token}>`), 409);
    assert.equal(await unlock('/a', `<${token}>`), 204);
    assert.equal(await unlock('/a', `<${token}>`), 409);
    assert.equal((await ask('PUT', '/a', { body: 'y' })).status, 204);
  });
});

describe('lockdiscovery', () => {
  it('shows who holds what, from where, in the holder\'s own words', async () => {
    const token = await lock('/dir');
    const text = await discovery('/dir/b');
    assert.ok(text.includes(`<d:locktoken><d:href>${token}</d:href></d:locktoken>`));
    assert.ok(text.includes(`<d:lockroot><d:href>${FILES}/dir/</d:href></d:lockroot>`));
    assert.match(text, /<d:owner><z:me[^>]* xmlns:z="urn:z"[^>]*>Anna &amp; Co<\/z:me><\/d:owner>/);
    assert.match(text, /<d:depth>infinity<\/d:depth>/);
  });

  it('shows each member of a listing its own locks and those from above', async () => {
    const own = await lock('/dir/b', 'shared');
    const above = await lock('/dir', 'shared');
    const alone = await lock('/a', 'shared');
    const members = (await discovery('/dir', '1')).split('<d:response>').slice(1);
    assert.equal(members.length, 2);
    assert.ok(members[0]?.includes(above) && !members[0].includes(own));
    assert.ok(members[1]?.includes(above) && members[1].includes(own));
    assert.ok(members[1]?.includes(`<d:lockroot><d:href>${FILES}/dir/b</d:href></d:lockroot>`));
    assert.ok(!members.some((member) => member.includes(alone)));
    const top = (await discovery('/', '1')).split('<d:response>').slice(1);
    assert.deepEqual(top.map((member) => member.includes('activelock')), [false, true, true]);
  });

  it('of a folder alone is not shown on its members', async () => {
    await lock('/dir', 'exclusive', { Depth: '0' });
    const members = (await discovery('/dir', '1')).split('<d:response>').slice(1);
    assert.deepEqual(members.map((member) => member.includes('activelock')), [true, false]);
  });
});
