import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NodeId } from '../../../../base/ids.ts';
import { parseName } from '../../../../base/names.ts';
import { grantChange } from '../../../conformance/access-promises.ts';
import { Hand } from '../../../conformance/hand.ts';
import { openConnection } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { SqliteMetadataStore } from '../sqlite-metadata-store.ts';
import { AccessReader } from './access-reader.ts';
import { prepareReads } from './read-statements.ts';
import type { ReadStatements } from './read-statements.ts';
import { TreeReader } from './tree-reader.ts';

const BEN = [{ kind: 'user', id: 'ben' }] as const;

describe('AccessReader', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  const file = join(folder, 'm.db');
  let h: Hand;
  let other: Hand;
  let connection: Connection;
  let reads: ReadStatements;
  let asked = 0;
  before(async () => {
    const store = await SqliteMetadataStore.open({ file, create: true });
    h = await Hand.on(store);
    other = await Hand.on(store, { owner: 'carl' });
    connection = openConnection(file, { readonly: true, cacheKib: 100 });
    reads = counted(prepareReads(connection));
  });
  after(async () => {
    connection.close();
    await h.store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The same statements; each look at the database counts. */
  function counted(statements: ReadStatements): ReadStatements {
    const get = (target: object, key: string | symbol): unknown => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key === 'all' || key === 'get') asked += 1;
      return value.bind(target) as unknown;
    };
    const wrapped = Object.entries(statements).map(([name, statement]) =>
      [name, new Proxy(statement, { get })]);
    return Object.fromEntries(wrapped) as ReadStatements;
  }

  it('asks the database again only after a change that may touch the answer', async () => {
    const reader = new AccessReader(reads, new TreeReader(reads, () => 0));
    const { id: spaceId } = h.space;
    const look = (): number => {
      asked = 0;
      reader.accessRev(spaceId);
      reader.listGrants(spaceId);
      reader.listGrantsTo(BEN);
      reader.listMounts(spaceId);
      return asked;
    };
    assert.ok(look() > 0);
    assert.equal(look(), 0);
    const put = h.putChange(h.root, 'f');
    const grant = grantChange(h, h.root);
    for (const [change, isTouching] of [[put, false], [grant, true]] as const) {
      await h.store.commit(change);
      reader.noteChange(change);
      assert.equal(look() > 0, isTouching, change.op);
    }
    assert.deepEqual([reader.accessRev(spaceId), reader.listGrants(spaceId).length], [2, 1]);
    const elsewhere = grantChange(other, other.root);
    await h.store.commit(elsewhere);
    reader.noteChange(elsewhere);
    assert.equal(look(), 1, 'another space is asked only for what is shown to them');
    assert.equal(reader.listGrantsTo(BEN).length, 2);
  });

  it('never answers what was before a change that its caller has been told of', async () => {
    const { store, space: { id: spaceId } } = h;
    const box = await h.folder(h.root, 'box');
    const target = { spaceId: other.space.id, nodeId: other.root };
    const mounted = await store.commit({
      op: 'mount', spaceId, parentId: box.id, name: parseName('m'), target, actor: h.actor(),
    });
    const names = async (): Promise<string[]> =>
      (await store.listMounts(spaceId)).mounts.map(({ name }) => name);
    assert.deepEqual(await names(), ['m']);
    await h.move(mounted.node?.id as NodeId, box.id, 'n');
    assert.deepEqual(await names(), ['n']);
    const rev = await h.delete(box.id);
    assert.deepEqual(await names(), []);
    await store.commit(h.restoreChange(box.id, rev, h.root, 'box'));
    assert.deepEqual(await names(), ['n']);
    const before = await store.listGrants(spaceId);
    for (const { id: grantId } of before) {
      await store.commit({ op: 'remove-grant', spaceId, grantId, actor: h.actor() });
    }
    assert.deepEqual(await store.listGrants(spaceId), []);
    assert.equal((await store.listGrantsTo(BEN)).length, 1);
    assert.equal(await store.accessRev(spaceId), await h.rev());
  });
});
