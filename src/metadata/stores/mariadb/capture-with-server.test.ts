/** Triggers that note what changes of tenants, on a server where others are at work too. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { parseTenantId } from '../../../base/ids.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { Hand, refused } from '../../conformance/hand.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

const PROGRAM = fileURLToPath(new URL('../../move/testing/capturing-program.ts', import.meta.url));
const NEWER = parseTenantId('newer');
const STOPPED_MS_MAX = 30_000;

describe('What notes the changes of tenants on MariaDB', { timeout: 120_000 }, () => {
  let server: ScratchServer;
  let address: ServerAddress;
  let store: MariadbMetadataStore;
  let hand: Hand;
  before(async () => {
    server = await ScratchServer.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    address = await server.makeDatabase();
    store = await MariadbMetadataStore.open({ address, create: true });
    hand = await Hand.on(store, { tenant: NEWER });
  });
  afterEach(() => store.close());

  /** Names of nodes, each once: while the triggers of two stand side by side both note it. */
  async function noted(): Promise<Set<string>> {
    const log = await store.tenantRows.readLog(NEWER, 1_000);
    return new Set(log.flatMap(({ name, key }) => (name === 'node' ? [String(key[2])] : [])));
  }

  async function triggers(): Promise<number> {
    return (await server.query('SHOW TRIGGERS', address.database)).length;
  }

  for (const failpoint of ['move-uncaptured', 'move-captured']) {
    it(`goes on when a mover that slept at ${failpoint} wakes and cleans up`, async () => {
      const late = spawn(process.execPath, [PROGRAM, JSON.stringify(address), failpoint],
        { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(late, 'exit');
      try {
        await stopped(late);
        await store.tenantRows.beginCapture(NEWER);
        await hand.put(hand.root, 'before');
        late.kill('SIGCONT');
        assert.deepEqual(await ended, [0, null]);
        await hand.put(hand.root, 'behind');
        assert.deepEqual([...await noted()], ['before', 'behind']);
        await store.tenantRows.endCapture(NEWER);
        assert.equal(await triggers(), 0, 'nothing is left of either');
      } finally {
        late.kill('SIGKILL');
      }
    });
  }

  it('is cleaned up by the next, where a mover has died', async () => {
    const dead = spawn(process.execPath, [PROGRAM, JSON.stringify(address), 'move-uncaptured'],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(dead, 'exit');
    await stopped(dead);
    dead.kill('SIGKILL');
    await ended;
    assert.ok(await triggers() > 0);
    await store.tenantRows.beginCapture(NEWER);
    await store.tenantRows.endCapture(NEWER);
    assert.equal(await triggers(), 0);
  });

  it('joins a move of an earlier version, and leaves its triggers until it is over', async () => {
    await server.query('CREATE TRIGGER move_node_i AFTER INSERT ON node FOR EACH ROW SET @x = 1',
      address.database);
    await server.query("INSERT INTO move_capture VALUES ('early')", address.database);
    await store.tenantRows.beginCapture(NEWER);
    const both = await triggers();
    await store.tenantRows.endCapture(NEWER);
    assert.equal(await triggers(), both, 'one is still under way');
    await store.tenantRows.endCapture(parseTenantId('early'));
    assert.equal(await triggers(), 0);
  });

  it('does not wait for long for a transaction that is left open, and is tried again', async () => {
    const open = await Session.open(address, 'schema');
    await open.run('SELECT * FROM node');
    const begunAt = performance.now();
    const begun = store.tenantRows.beginCapture(NEWER);
    const { message } = await refused(begun, 'busy', 'table-in-use');
    assert.match(message, /transaction open.*2 s were waited.*innodb_trx/);
    const waitedMs = performance.now() - begunAt;
    assert.ok(waitedMs > 1_900 && waitedMs < 8_000, `${waitedMs} ms`);
    await hand.put(hand.root, 'nobody is held up');
    await open.run('COMMIT');
    await store.tenantRows.beginCapture(NEWER);
    await hand.put(hand.root, 'noted');
    await open.run('SELECT * FROM node');
    await refused(store.tenantRows.endCapture(NEWER), 'busy', 'table-in-use');
    await open.end();
    assert.ok(await triggers() > 0);
    await store.tenantRows.endCapture(NEWER);
    assert.equal(await triggers(), 0);
  });
});

/** It stands still, by SIGSTOP. */
async function stopped({ pid = 0 }: ChildProcess): Promise<void> {
  const endsAt = performance.now() + STOPPED_MS_MAX;
  while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
    if (performance.now() > endsAt) throw new Error('it does not stop');
    await pause(20);
  }
}
