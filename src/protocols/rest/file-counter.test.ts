import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { AT_ONCE, COUNT_AGAIN_MS, FileCounter } from './file-counter.ts';
import type { RestParts } from './rest-parts.ts';

const caller: Caller = {
  user: parseUserId('anna'), tenant: DEFAULT_TENANT, displayName: 'Anna', admin: false,
  device: 'test', credential: 'password', groups: [], groupsRev: 0,
};

/** A root with so many folders, each with two files; every listing is counted. */
function tree(folders: number) {
  const site = { folders, mark: 1, listed: 0, now: 1_000, failsAt: Infinity };
  const files = {
    get: async () => ({ node: { id: 1, mark: site.mark } }),
    find: async () => ({}),
    async list(_: Caller, path: readonly string[]) {
      site.listed += 1;
      if (site.listed > site.failsAt) throw new Error('the disk does not answer');
      const names = path.length === 0
        ? Array.from({ length: site.folders }, (__, at) => ({ kind: 'folder', name: `f${at}` }))
        : [{ kind: 'file', name: 'a' }, { kind: 'file', name: 'b' }];
      return { pages: (async function* pages() {
        yield names;
      }()) };
    },
  } as unknown as RestParts['files'];
  return { site, counter: new FileCounter({ files, now: () => site.now }) };
}

it('a small tree is counted at once, and not again until something changes', async () => {
  const { site, counter } = tree(3);
  assert.deepEqual((await counter.of(caller))?.files, 6);
  assert.equal(site.listed, 4);
  assert.deepEqual((await counter.of(caller))?.files, 6);
  assert.equal(site.listed, 4);
  [site.mark, site.folders] = [2, 4];
  assert.deepEqual((await counter.of(caller))?.files, 8);
});

it('nobody waits for a large tree, and its figure tells how old it is', async () => {
  const { site, counter } = tree(AT_ONCE.folders + 10);
  assert.equal(await counter.of(caller), undefined);
  assert.ok(site.listed <= AT_ONCE.folders + 1, `${site.listed} listings before the answer`);
  await counter.settled();
  assert.deepEqual((await counter.of(caller))?.files, 120);
  const before = site.listed;
  [site.mark, site.folders, site.now] = [2, AT_ONCE.folders + 11, 1_000 + COUNT_AGAIN_MS - 1];
  const old = await counter.of(caller);
  assert.deepEqual([old?.files, old?.countedAt, site.listed], [120, 1_000, before]);
  site.now = 1_000 + COUNT_AGAIN_MS;
  assert.deepEqual((await counter.of(caller))?.files, 120);
  await counter.settled();
  assert.deepEqual((await counter.of(caller))?.files, 122);
});

it('nobody waits for a folder with many entries either', async () => {
  const { site, counter } = tree(AT_ONCE.entries + 1);
  assert.equal(await counter.of(caller), undefined);
  assert.ok(site.listed < 5, `${site.listed} listings before the answer`);
  await counter.settled();
  assert.deepEqual((await counter.of(caller))?.files, 2 * (AT_ONCE.entries + 1));
});

it('a failed count beside the answers is told to who asks next, and begun anew', async () => {
  const { site, counter } = tree(AT_ONCE.folders + 10);
  site.failsAt = AT_ONCE.folders + 5;
  assert.equal(await counter.of(caller), undefined);
  await counter.settled();
  await assert.rejects(counter.of(caller), /does not answer/);
  site.failsAt = Infinity;
  assert.equal(await counter.of(caller), undefined);
  await counter.settled();
  assert.deepEqual((await counter.of(caller))?.files, 120);
});
