// Several homes on one filer: each has its part of every disk, and none of any other.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { FilerClient } from './filer-client.ts';
import type { FilerRoot } from './filer-server.ts';
import { CLUSTER_ID, FilerTrial } from './testing/filer-trial.ts';

const trial = await FilerTrial.begin();
after(() => trial.end());
const VOLUME = 'v00000001.1.hv';
const [ACME, BETA] = [randomUUID(), randomUUID()];

const idsOf = (client: FilerClient): string[] => client.disks().map(({ id }) => id);
const codeIs = (code: string) => (error: unknown): boolean => (
  isKind(error, 'conflict') && error.code === code);
const asHome = (home: string, epoch = 1) => ({ home, coordinatorId: home, epoch });
const known = ({ path }: FilerRoot): FilerRoot => ({ path });

async function write(client: FilerClient, text: string, name = VOLUME): Promise<void> {
  const [disk] = client.disks();
  assert.ok(disk);
  const file = await disk.files.open(name, 'create');
  await file.writeDurably([Buffer.from(text)], 0);
  await file.close();
}

describe('Homes on one filer', () => {
  it('each have a part of every disk, and see nothing of the others', async () => {
    const roots = [await trial.root(), await trial.root()];
    const server = await trial.serve({ roots });
    const clients = await Promise.all([
      trial.connect(server), trial.connect(server, asHome(ACME)),
      trial.connect(server, asHome(BETA)),
    ]);
    assert.equal(new Set(clients.flatMap(idsOf)).size, 6, 'two disks of its own for each');
    assert.equal(server.homeCount, 2);
    for (const [index, client] of clients.entries()) await write(client, `of home ${index}`);
    for (const client of clients) {
      const [disk] = client.disks();
      assert.deepEqual(await disk?.files.list(), [VOLUME]);
    }
    const [root] = roots;
    assert.ok(root);
    const read = (...path: string[]) => readFile(join(root.path, ...path, VOLUME), 'utf8');
    assert.deepEqual(await Promise.all([
      read(), read('homes', ACME), read('homes', BETA),
    ]), ['of home 0', 'of home 1', 'of home 2']);
  });

  it('have writers and epochs of their own: what one does fences no other', async () => {
    const server = await trial.serve();
    const own = await trial.connect(server, { epoch: 3 });
    const acme = await trial.connect(server, asHome(ACME, 1));
    const next = await trial.connect(server, asHome(ACME, 9));
    assert.equal(next.state.disks[0]?.lastEpoch, 9);
    await write(own, 'still mine');
    await write(next, 'mine now');
    acme.close();
    const late = await trial.connect(server, asHome(ACME, 2));
    await assert.rejects(write(late, 'too late', 'v00000002.1.hv'), codeIs('stale-epoch'));
  });

  it('are found again by the next filer on the disk, and are not made by a look', async () => {
    const root = await trial.root();
    const server = await trial.serve({ roots: [root] });
    const client = await trial.connect(server, asHome(ACME));
    const before = idsOf(client);
    await write(client, 'kept');
    client.close();
    await server.close();
    const next = await trial.serve({ roots: [known(root)] });
    const look = { role: 'reader' as const };
    const [found, none] = await Promise.all([
      trial.connect(next, { ...asHome(ACME), ...look }),
      trial.connect(next, { ...asHome(BETA), ...look }),
    ]);
    assert.deepEqual([idsOf(found), idsOf(none)], [before, []]);
    assert.deepEqual(await found.disks()[0]?.files.list(), [VOLUME]);
    assert.deepEqual(await readdir(join(root.path, 'homes')), [ACME]);
    assert.equal(next.homeCount, 1);
  });

  it('are refused what is of another one, also when it was put in their place', async () => {
    const root = await trial.root();
    const server = await trial.serve({ roots: [root] });
    await write(await trial.connect(server, asHome(ACME)), 'of acme');
    await server.close();
    await cp(join(root.path, 'homes', ACME), join(root.path, 'homes', BETA), { recursive: true });
    trial.findings.length = 0;
    const next = await trial.serve({ roots: [known(root)] });
    await assert.rejects(trial.connect(next, asHome(BETA)), { code: 'fence-failed' });
    assert.ok(trial.findings.some((finding) => (
      finding.kind === 'disk-refused' && finding.reason.code === 'foreign-cluster')));
    assert.equal(idsOf(await trial.connect(next, asHome(ACME, 2))).length, 1);
    const copied = await readFile(join(root.path, 'homes', BETA, VOLUME), 'utf8');
    assert.equal(copied, 'of acme', 'nothing was written over it');
  });

  it('are refused a part that is there twice', async () => {
    const roots = [await trial.root(), await trial.root()];
    const server = await trial.serve({ roots: roots.slice(0, 1) });
    await write(await trial.connect(server, asHome(ACME)), 'once');
    await server.close();
    const [from, to] = roots.map(({ path }) => join(path, 'homes', ACME));
    await trial.serve({ roots: roots.slice(1) }).then((other) => other.close());
    await cp(from ?? '', to ?? '', { recursive: true });
    const next = await trial.serve({ roots: roots.map(known) });
    await assert.rejects(trial.connect(next, asHome(ACME, 2)), { code: 'fence-failed' });
  });

  it('are still of one cluster, and as many as a filer can look after', async () => {
    const server = await trial.serve();
    const foreign = { ...asHome(ACME), clusterId: randomUUID() };
    await assert.rejects(trial.connect(server, foreign), codeIs('foreign-cluster'));
    await assert.rejects(
      trial.connect(server, { ...asHome(ACME), key: Buffer.alloc(32, 'another') }),
      codeIs('wrong-key'),
    );
    for (let count = 0; count < 64; count++) {
      (await trial.connect(server, { ...asHome(randomUUID()), clusterId: CLUSTER_ID })).close();
    }
    await assert.rejects(trial.connect(server, asHome(ACME)), codeIs('too-many-homes'));
  });
});
