/** The list of homes where all servers see it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import { systemClock } from '../platform/index.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import { HomeList } from './home-list.ts';
import { MariadbHomeTable } from '../storage/shared/stores/mariadb/mariadb-home-table.ts';

const [north, south, west] = ['north', 'south', 'west'] as TenantId[] as [
  TenantId, TenantId, TenantId,
];
const folder = mkdtempSync(join(tmpdir(), 'holdfast-home-table-'));
let server: ScratchServer;
let tables: MariadbHomeTable[] = [];

before(async () => {
  server = await ScratchServer.start();
  const address = await server.makeDatabase();
  tables = await Promise.all([1, 2].map(() => MariadbHomeTable.open(address, systemClock)));
});
after(async () => {
  for (const table of tables) await table.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

it('a list of homes is one for all servers, begins with what a lone server had, and refuses the '
  + 'data directory of another installation', async () => {
  const [one, two] = tables;
  assert.ok(one !== undefined && two !== undefined);
  const dataOf = (name: string) => ({ path: join(folder, name), instanceId: 'here' });
  for (const name of ['one', 'two', 'stranger']) mkdirSync(join(folder, name));
  const alone = await HomeList.open(dataOf('one'));
  await alone.add(north, 'default');
  await alone.noteFounded(north);

  const atOne = await HomeList.open(dataOf('one'), one);
  const atTwo = await HomeList.open(dataOf('two'), two);
  assert.deepEqual({ ...atTwo.find(north), root: '', dataPath: '' }, {
    ...atOne.find(north), root: '', dataPath: '',
  });
  assert.equal(atTwo.find(north)?.founded, true);
  const added = await Promise.all([atOne.add(south, 'default'), atTwo.add(west, 'other')]);
  assert.deepEqual(added.map(({ number }) => number).sort(), [2, 3]);
  assert.equal((await atTwo.add(south, 'default')).number, added[0].number, 'it has one already');
  await atTwo.noteFounded(west);
  await atOne.refresh();
  assert.equal(atOne.find(west)?.founded, true);
  // Commands that look at the data directory alone see the same.
  assert.equal((await HomeList.open(dataOf('one'))).find(west)?.policy, 'other');

  const stranger = await HomeList.open(dataOf('stranger'));
  await stranger.add(west, 'default');
  await assert.rejects(HomeList.open(dataOf('stranger'), one), (error) =>
    isKind(error, 'conflict'));
});
