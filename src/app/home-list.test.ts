import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { DEFAULT_TENANT, parseTenantId } from '../base/ids.ts';
import { HomeList, marksOf, ownMarks } from './home-list.ts';

const INSTANCE = '0b8c6f9e-3c55-4f7e-8d52-6a4d6f0e7a11';
const [ACME, BETA] = ['acme', 'beta'].map(parseTenantId) as [never, never];

describe('HomeList', () => {
  let path: string;
  const open = () => HomeList.open({ path, instanceId: INSTANCE });

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'homes-'));
  });

  it('gives each tenant a folder, a number and an id that stay the same', async () => {
    const list = await open();
    assert.equal(list.count, 1);
    await list.add(ACME, 'cold');
    await list.add(BETA, 'default');
    await list.noteFounded(BETA);
    const again = await open();
    assert.deepEqual(again.find(ACME), {
      tenant: ACME, number: 1, root: join(path, 'tenants', 'acme'),
      id: 'ddafee26-fa48-838c-ada3-88cc36f1b64b', policy: 'cold', founded: false, dataPath: path,
    });
    assert.equal(again.find(BETA)?.number, 2);
    assert.equal(again.find(BETA)?.founded, true);
    assert.equal(again.find(parseTenantId('gamma')), undefined);
    assert.deepEqual(again.find(DEFAULT_TENANT), {
      tenant: DEFAULT_TENANT, number: 0, root: path, id: INSTANCE, policy: 'default',
      founded: true, dataPath: path,
    });
  });

  it('knows by the marks of the metadata that an entry is missing', async () => {
    const list = await open();
    assert.ok(list.knows([[1, 100], [7, 0]]));
    assert.ok(!list.knows([[1, 100], ...marksOf(1, [[1, 5]])]));
    await list.add(ACME, 'cold');
    assert.ok(list.knows([[1, 100], ...marksOf(1, [[1, 5]])]));
  });

  it('refuses a list that it cannot understand, and leaves it as it is', async () => {
    const file = join(path, 'block-homes.json');
    const home = { tenant: 'acme', number: 1, policy: 'cold', founded: true };
    const right = { format: 'holdfast-block-homes', version: 1, homes: [home] };
    for (const [text, code] of [
      ['{', 'home-list-damaged'],
      [JSON.stringify({ ...right, version: 2 }), 'newer-format'],
      [JSON.stringify({ ...right, homes: [home, { ...home, tenant: 'beta' }] }),
        'home-list-damaged'],
      [JSON.stringify({ ...right, homes: [{ ...home, number: 0 }] }), 'home-list-damaged'],
    ] as const) {
      await writeFile(file, text);
      await assert.rejects(open(), { code });
      assert.equal(await readFile(file, 'utf8'), text);
    }
  });
});

it('Marks of homes are told apart, and those of the default tenant are as ever', () => {
  const all = [
    ...marksOf(0, [[1, 10], [2, 20]]), ...marksOf(1, [[1, 11]]), ...marksOf(3, [[4, 44]]),
  ];
  assert.deepEqual(all.slice(0, 3), [[1, 10], [2, 20], [4_294_967_297, 11]]);
  assert.deepEqual(ownMarks(0, all), [[1, 10], [2, 20]]);
  assert.deepEqual(ownMarks(1, all), [[1, 11]]);
  assert.deepEqual(ownMarks(2, all), []);
  assert.deepEqual(ownMarks(3, all), [[4, 44]]);
});
