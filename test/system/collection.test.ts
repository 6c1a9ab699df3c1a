/** Garbage collection as an operator sees it: by commands, on a data directory of a real server. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;

function gc(data: string, ...args: string[]): Promise<Outcome> {
  return run(PROGRAM, ['gc', ...args, '--data', data]);
}

/** An upload in pieces that its owner gives up. */
async function abandon(user: DavClient, bytes: Buffer): Promise<void> {
  const folder = '/remote.php/dav/uploads/anna/given-up';
  assert.equal((await user.ask('MKCOL', folder)).status, 201);
  assert.equal((await user.ask('PUT', `${folder}/1`, { body: bytes })).status, 201);
  assert.equal((await user.ask('DELETE', folder)).status, 204);
}

describe('garbage collection', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('plans and runs while no server does, and tells what it has noted at any time', async () => {
    const server = await servers.start();
    const user = await server.addUser({ name: 'anna' });
    const kept = seededBytes(5 * MIB, 'kept');
    assert.equal((await user.put('kept.bin', kept)).status, 201);
    await abandon(user, seededBytes(3 * MIB, 'given up'));
    const busy = await gc(server.data, 'run', '--plan');
    assert.equal(busy.code, 3, 'a running server collects by itself');
    assert.match((await gc(server.data, 'status')).stdout, /census: none was taken yet/);
    await server.stop();
    const names = readdirSync(join(server.data, 'volumes'));
    const plan = await gc(server.data, 'run', '--plan');
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /needed by nothing: 1 block, 3\.0 MiB/);
    assert.match(plan.stdout, /nothing was moved or removed/);
    assert.deepEqual(readdirSync(join(server.data, 'volumes')), names);
    assert.equal((await gc(server.data, 'run')).code, 0);
    const status = await gc(server.data, 'status');
    assert.match(status.stdout, /suspects: 1 block, 3\.0 MiB/);
    assert.match(status.stdout, /missing: 0 blocks/);
    await server.startAgain();
    assert.ok((await user.get('kept.bin')).body.equals(kept));
  });

  it('removes nothing and serves all the same when the ledger has been tampered with', async () => {
    const server = await servers.start();
    const user = await server.addUser();
    assert.equal((await user.put('kept.bin', seededBytes(MIB, 'kept'))).status, 201);
    await server.stop();
    assert.equal((await gc(server.data, 'run')).code, 0);
    const ledger = join(server.data, 'volume-ledger.log');
    assert.equal(readFileSync(ledger, 'utf8'), '', 'nothing has left yet');
    truncateSync(join(server.data, 'gc.db'), 5_000);
    assert.equal((await gc(server.data, 'run')).code, 0, 'notes are made anew');
    assert.ok(readdirSync(server.data).includes('gc.db.damaged'));
    const forged = { seq: 1, at: 1, act: 'unlink', volume: 1, sizeBytes: 1, inspections: [1, 1] };
    writeFileSync(ledger, `${'0'.repeat(64)} ${JSON.stringify(forged)}\n{}\n`);
    const refused = await gc(server.data, 'run');
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /ledger of volumes is damaged/);
    await server.startAgain();
    assert.equal((await user.get('kept.bin')).status, 200);
  });

  it('says what it takes, and refuses what makes no sense', async () => {
    const server = await servers.start();
    await server.stop();
    assert.equal((await gc(server.data, 'run', '--despite', 'everything')).code, 2);
    assert.equal((await gc(server.data, 'restore', 'x')).code, 2);
    assert.equal((await gc(server.data, 'restore', '7')).code, 3);
  });
});
