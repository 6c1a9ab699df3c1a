import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ROLES } from '../../../base/roles.ts';
import { parseGroupId, parseUserId } from '../../../base/ids.ts';
import { CloudSite, PASSWORD } from '../testing/cloud-site.ts';
import { bitsOf, roleOf } from './share-bits.ts';

describe('permission bits', () => {
  it('come back as they were told', () => {
    for (const kind of ['file', 'folder'] as const) {
      for (const role of ROLES) {
        const bits = bitsOf(role, kind);
        const isUploaderOfFile = kind === 'file' && role === 'uploader';
        const back = roleOf(bits, kind)?.role ?? 'none';
        assert.equal(back, isUploaderOfFile ? 'viewer' : role, `${role} on a ${kind}`);
      }
    }
  });

  it('of any mask become the strongest role within it', () => {
    for (const kind of ['file', 'folder'] as const) {
      for (let bits = 0; bits < 64; bits += 1) {
        const role = roleOf(bits, kind)?.role ?? 'none';
        assert.equal(bitsOf(role, kind) & ~bits, 0, `${bits} on a ${kind} gave ${role}`);
        if (bits % 2 === 1) assert.notEqual(role, 'none');
      }
    }
    assert.deepEqual(roleOf(4, 'folder', { isLink: true }), { role: 'uploader', fileDrop: true });
    assert.equal(roleOf(31, 'folder', { isLink: true })?.role, 'editor');
  });
});

interface Answer {
  status: number;
  code: number;
  message: string;
  data: Record<string, unknown>;
  list: Record<string, unknown>[];
}

describe('the share interface', () => {
  const BEN = `ben:${PASSWORD}`;
  let site: CloudSite;
  before(async () => {
    site = await CloudSite.open();
    await site.identity.groups.add({ id: 'crew', displayName: 'The crew' });
    await site.identity.groups.join(parseGroupId('crew'), parseUserId('ben'));
    for (const path of ['/work', '/work/plans']) await site.ask('MKCOL', `/dav${path}`);
    await site.ask('PUT', '/dav/work/plans/one.txt', { body: 'one' });
  });
  after(() => site.close());

  async function api(
    method: string, route: string, options: { body?: object | string; auth?: string } = {},
  ): Promise<Answer> {
    const { body, auth = `anna:${PASSWORD}` } = options;
    const isText = typeof body === 'string' || body === undefined;
    const mark = route.includes('?') ? '&' : '?';
    const path = `/ocs/v2.php/apps/files_sharing/api/v1/${route}${mark}format=json`;
    const answer = await site.ask(method, path, {
      auth, body: isText ? body : JSON.stringify(body),
      headers: {
        'OCS-APIRequest': 'true',
        'Content-Type': isText ? 'application/x-www-form-urlencoded' : 'application/json',
      },
    });
    const { meta, data } = (JSON.parse(answer.text) as {
      ocs: { meta: { statuscode: number; message: string }; data: unknown };
    }).ocs;
    return {
      status: answer.status, code: meta.statuscode, message: meta.message,
      data: data as Record<string, unknown>, list: data as Record<string, unknown>[],
    };
  }

  async function letters(path: string, auth: string): Promise<string | undefined> {
    const { text } = await site.ask('PROPFIND', `/dav${path}`, {
      auth, headers: { Depth: '0' },
      body: '<d:propfind xmlns:d="DAV:"><d:prop><p xmlns="http://owncloud.org/ns">x</p>'
        + '<permissions xmlns="http://owncloud.org/ns"/></d:prop></d:propfind>',
    });
    return /<oc:permissions>([A-Z]*)</.exec(text)?.[1];
  }

  it('makes, shows, changes and ends a share with a user', async () => {
    const made = await api('POST', 'shares', {
      body: 'path=/work/plans&shareType=0&shareWith=ben&permissions=1&note=look',
    });
    assert.equal(made.code, 200);
    const { id, share_type: type, permissions, path, share_with: whom, note } = made.data;
    assert.deepEqual([type, permissions, path, whom, note], [0, 1, '/work/plans', 'ben', 'look']);
    assert.equal(await letters('/plans/', BEN), 'SMGDNV');
    assert.equal(await letters('/plans/one.txt', BEN), 'SG');
    const changed = await api('PUT', `shares/${String(id)}`, { body: { permissions: 15 } });
    assert.equal(changed.data['permissions'], 15);
    assert.equal(changed.data['note'], 'look', 'what is not named stays');
    assert.equal(await letters('/plans/', BEN), 'SMGDNVCK');
    assert.equal(await letters('/plans/one.txt', BEN), 'SGDNVW');
    const mine = await api('GET', 'shares?path=/work/plans&reshares=true');
    assert.deepEqual(mine.list.map((one) => one['id']), [id]);
    const below = await api('GET', 'shares?path=/work&subfiles=true');
    assert.deepEqual(below.list.map((one) => one['id']), [id]);
    const received = await api('GET', 'shares?shared_with_me=true', { auth: BEN });
    assert.deepEqual(received.list.map((one) => [one['id'], one['path']]), [[id, '/plans']]);
    const others = await api('GET', 'shares?path=/plans&reshares=true', { auth: BEN });
    assert.deepEqual(others.list, []);
    const more = { body: { permissions: 31 }, auth: BEN };
    const denied = await api('PUT', `shares/${String(id)}`, more);
    assert.equal(denied.code, 403);
    assert.equal((await api('DELETE', `shares/${String(id)}`)).code, 200);
    assert.equal(await letters('/plans/', BEN), undefined);
    assert.equal((await api('GET', `shares/${String(id)}`)).code, 404);
  });

  it('says which permissions it became', async () => {
    const made = await api('POST', 'shares', {
      body: { path: '/work/plans', shareType: 1, shareWith: 'crew', permissions: 3 },
    });
    const { permissions, share_with_displayname: whom } = made.data;
    assert.deepEqual([permissions, whom], [1, 'The crew']);
    assert.match(made.message, /became 1 \(viewer\)/);
    assert.equal(await letters('/plans/', BEN), 'SMGDNV');
    const { text } = await site.ask('PROPFIND', '/dav/work/', {
      headers: { Depth: '1' },
      body: '<d:propfind xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns"><d:prop><o:share-types/>'
        + '</d:prop></d:propfind>',
    });
    assert.equal(text.split('<oc:share-type>1</oc:share-type>').length, 2);
    await api('DELETE', `shares/${String(made.data['id'])}`);
  });

  it('makes links with all that can be said of them', async () => {
    const made = await api('POST', 'shares', {
      body: {
        path: '/work/plans', shareType: 3, password: 'sesame', expireDate: '2030-01-31',
        label: 'for all', hideDownload: 'true', downloadLimit: 5,
      },
    });
    const { id, token, url, password, expiration, permissions } = made.data;
    assert.match(String(token), /^[A-Za-z0-9]{20}$/);
    assert.ok(String(url).endsWith(`/s/${String(token)}`));
    assert.deepEqual([permissions, expiration], [1, '2030-01-31 00:00:00']);
    assert.ok(!JSON.stringify(made).includes('sesame') && !JSON.stringify(made).includes('argon2'));
    assert.equal(password, '***');
    const open = await api('PUT', `shares/${String(id)}`, { body: 'password=&expireDate=' });
    assert.deepEqual([open.data['password'], open.data['expiration']], [null, null]);
    const drop = await api('PUT', `shares/${String(id)}`, { body: 'permissions=4' });
    assert.equal(drop.data['permissions'], 4);
    const upload = await api('PUT', `shares/${String(id)}`, { body: 'publicUpload=true' });
    assert.equal(upload.data['permissions'], 15);
    await api('DELETE', `shares/${String(id)}`);
  });

  it('refuses what cannot be, and tells nothing about what is hidden', async () => {
    const bodies: [object, number][] = [
      [{ path: '/work', shareType: 0, shareWith: 'nobody' }, 400],
      [{ path: '/work', shareType: 4, shareWith: 'a@example.org' }, 400],
      [{ path: '/nothing', shareType: 0, shareWith: 'ben' }, 404],
      [{ path: '/work', shareType: 0, shareWith: 'ben', permissions: 0 }, 400],
      [{ path: '/work', shareType: 3, expireDate: 'soon' }, 400],
      [{ shareType: 3 }, 400],
    ];
    for (const [body, code] of bodies) {
      assert.equal((await api('POST', 'shares', { body })).code, code, JSON.stringify(body));
    }
    const path = { path: '/work', shareType: 0, shareWith: 'anna' };
    assert.equal((await api('POST', 'shares', { body: path, auth: BEN })).code, 404);
    assert.equal((await api('GET', 'shares/999')).code, 404);
    assert.equal((await api('GET', 'shares/x1')).code, 404);
    assert.equal((await api('GET', 'elsewhere')).code, 404);
    const plain = await site.ask('GET', '/ocs/v2.php/apps/files_sharing/api/v1/shares');
    assert.equal(plain.status, 412, 'another site could send it');
  });

  it('finds people and groups by the beginning of a name', async () => {
    const found = await api('GET', 'sharees?search=Be&itemType=folder&shareType[]=0');
    const users = found.data['users'] as { value: { shareWith: string } }[];
    assert.deepEqual(users.map(({ value }) => value.shareWith), ['ben']);
    assert.deepEqual(found.data['groups'], []);
    const exact = (await api('GET', 'sharees?search=crew')).data['exact'] as { groups: unknown[] };
    assert.equal(exact.groups.length, 1);
    const own = await api('GET', 'sharees?search=anna');
    assert.deepEqual((own.data['exact'] as { users: unknown[] }).users, []);
  });

  it('finds people by their mail address, and tells it to nobody but them', async () => {
    await site.identity.users.setEmail(parseUserId('ben'), 'b.b@Example.org');
    for (const [search, where] of [['b.b@exa', 'some'], ['B.B@example.org', 'exact']] as const) {
      const { data } = await api('GET', `sharees?search=${search}`);
      const found = { some: data, exact: data['exact'] as Record<string, unknown> }[where];
      const users = found['users'] as { value: { shareWith: string } }[];
      assert.deepEqual(users.map(({ value }) => value.shareWith), ['ben'], search);
      assert.doesNotMatch(JSON.stringify(data), /example/);
    }
    const { text } = await site.ocs('/ocs/v2.php/cloud/user?format=json', { auth: BEN });
    assert.match(text, /"email":"b.b@example.org"/);
  });

  it('shows what was said with a share where its receiver finds it', async () => {
    const { data } = await api('POST', 'shares', {
      body: { path: '/work/plans', shareType: 0, shareWith: 'ben', note: 'for <you>' },
    });
    const notes = async (path: string, auth: string): Promise<string[]> => {
      const { text } = await site.ask('PROPFIND', path, {
        auth, headers: { Depth: '1' },
        body: '<d:propfind xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:prop><nc:note/>'
          + '</d:prop></d:propfind>',
      });
      return [...text.matchAll(/<nc:note(?:\/>|>([^<]*)<)/g)].map(([, note = '']) => note);
    };
    assert.deepEqual(await notes('/dav/plans', BEN), ['for &lt;you&gt;', '']);
    assert.ok((await notes('/dav', BEN)).includes('for &lt;you&gt;'));
    assert.deepEqual(await notes('/dav/work/plans', `anna:${PASSWORD}`), ['', '']);
    await api('DELETE', `shares/${String(data['id'])}`);
  });

  it('says who can see something and why, and shuts somebody out of a part', async () => {
    const at = async (method: string, route: string, body?: object, auth = `anna:${PASSWORD}`) => {
      const answer = await site.ask(method, `/ocs/v2.php/apps/holdfast/api/v1/${route}`, {
        auth, body: body && JSON.stringify(body), headers: {
          'OCS-APIRequest': 'true', Accept: 'application/json', 'Content-Type': 'application/json',
        },
      });
      return (JSON.parse(answer.text) as {
        ocs: { meta: { statuscode: number }; data: unknown };
      }).ocs;
    };
    await api('POST', 'shares', { body: { path: '/work', shareType: 1, shareWith: 'crew' } });
    assert.equal(await letters('/work/plans/one.txt', BEN), 'SGDNVW');
    const body = { path: '/work/plans', kind: 'user', id: 'ben', role: 'none' };
    assert.equal((await at('POST', 'access', body, BEN)).meta.statuscode, 403, 'not his to say');
    assert.equal((await at('POST', 'access', body)).meta.statuscode, 200);
    assert.equal(await letters('/work/plans/one.txt', BEN), undefined);
    const { data } = await at('GET', 'access?path=/work/plans/one.txt');
    const reasons = data as Record<string, unknown>[];
    assert.deepEqual(reasons.map(({ kind, id, role }) => [kind, id, role]), [
      ['space-owner', 'anna', 'owner'], ['group', 'crew', 'editor'], ['user', 'ben', 'none'],
    ]);
    assert.equal((await at('GET', 'access?path=/work', undefined, BEN)).meta.statuscode, 403);
    assert.equal((await at('POST', 'teams', { name: 'Team' }, BEN)).meta.statuscode, 403);
    assert.equal((await at('POST', 'teams', { name: 'Team' })).meta.statuscode, 200);
    assert.equal(await letters('/Team/', `anna:${PASSWORD}`), 'SRMGDNVCK');
    assert.equal((await at('PUT', 'teams', { path: '/Team', name: 'Crew' })).meta.statuscode, 200);
  });
});
