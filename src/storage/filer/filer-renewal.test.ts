/** Keys and certificates that are replaced while filers and their servers run. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemRandom } from '../../platform/index.ts';
import { makeClusterKey, readClusterKey, rotateClusterKey } from './cluster-key.ts';
import { makeCertificates } from './testing/certificates.ts';
import { CLUSTER_ID, FilerTrial, KEY } from './testing/filer-trial.ts';

const NEW_KEY = Buffer.alloc(32, 'the next key');

const trial = await FilerTrial.begin();
const folder = await mkdtemp(join(tmpdir(), 'holdfast-renewal-'));
after(async () => {
  await trial.end();
  await rm(folder, { recursive: true });
});

describe('rotateClusterKey', () => {
  it('puts a new key before the old one, and takes the old one out', async () => {
    const path = join(folder, 'cluster.key');
    await makeClusterKey(path, { clusterId: CLUSTER_ID, random: systemRandom });
    const { key: old } = await readClusterKey(path);
    const finish = { step: 'finish', random: systemRandom } as const;
    await assert.rejects(rotateClusterKey(path, finish), { kind: 'conflict' });
    const begin = { step: 'begin', random: systemRandom } as const;
    await rotateClusterKey(path, begin);
    const { key, previousKey, clusterId } = await readClusterKey(path);
    assert.equal(clusterId, CLUSTER_ID);
    assert.ok(previousKey?.equals(old) === true && !key.equals(old));
    const text = await readFile(path, 'utf8');
    await assert.rejects(rotateClusterKey(path, begin), { kind: 'conflict' });
    assert.equal(await readFile(path, 'utf8'), text, 'a second old key would be lost');
    await rotateClusterKey(path, finish);
    assert.deepEqual(await readClusterKey(path), { clusterId: CLUSTER_ID, key });
  });
});

describe('a filer and its server', () => {
  it('find each other with the old key, the new one, and not with neither', async () => {
    const server = await trial.serve();
    const overlap = { key: NEW_KEY, previousKey: KEY };
    const client = await trial.connect(server, { readKeys: () => Promise.resolve(overlap) });
    const [disk] = client.disks();
    server.renew({ key: NEW_KEY });
    assert.deepEqual(await disk?.files.list(), [], 'the connection that was there has ended');
    await trial.connect(server, { readKeys: () => Promise.resolve(overlap) });
    await trial.connect(server, { key: NEW_KEY });
    await assert.rejects(trial.connect(server), { code: 'wrong-key' });
    server.renew({ key: Buffer.alloc(32, 'a third one') });
    const refused = trial.connect(server, { readKeys: () => Promise.resolve(overlap) });
    await assert.rejects(refused, { code: 'wrong-key' });
  });

  it('use the last keys that were known when the file cannot be read', async () => {
    const server = await trial.serve();
    const unreadable = (): Promise<never> => Promise.reject(new Error('no such file'));
    const client = await trial.connect(server, { readKeys: unreadable });
    assert.equal(client.disks().length, 1);
  });

  it('go on with a new certificate, and with the old one when the new one is no good', async () => {
    const [first, second] = [await makeCertificates(), await makeCertificates()];
    const server = await trial.serve({ tls: { cert: first.cert, key: first.key } });
    await trial.connect(server, { tls: { ca: first.ca } });
    server.renew({ key: KEY, tls: { cert: second.cert, key: second.key } });
    await trial.connect(server, { tls: { ca: second.ca } });
    await assert.rejects(trial.connect(server, { tls: { ca: first.ca } }));
    const mixed = { cert: first.cert, key: second.key };
    assert.throws(() => server.renew({ key: NEW_KEY, tls: mixed }), { kind: 'invalid' });
    await trial.connect(server, { tls: { ca: second.ca } });
  });
});
