/** An older copy of the directory's database comes back, which lacks nothing but what lies there
 *  beside metadata, accounts and the directory: each kind of it alone gives the copy away. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { parseBlockId, parseSpaceId, parseTenantId, parseUserId } from '../base/ids.ts';
import { MariadbFailureCounts } from '../identity/stores/mariadb/mariadb-failure-counts.ts';
import { SecretSeal } from '../identity/index.ts';
import { MariadbDrainJournal } from '../metadata/move/stores/mariadb/mariadb-drain-journal.ts';
import { MariadbMoveJournal } from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
import { claimDatabase } from '../metadata/stores/mariadb/installation.ts';
import { knowInstallation } from '../metadata/stores/mariadb/known-metadata.ts';
import { systemClock as clock } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import {
  MariadbIdempotencyStore,
} from '../protocols/rest/idempotency/stores/mariadb/mariadb-idempotency-store.ts';
import { MariadbHomeTable } from '../storage/shared/stores/mariadb/mariadb-home-table.ts';
import { MariadbWebhookStore } from '../webhooks/stores/mariadb/mariadb-webhook-store.ts';
import { openCluster } from './cluster-tables.ts';

const ACME = parseTenantId('acme');
const ANNA = parseUserId('anna');
const TTL_MS = 60_000;

/** One thing that a process keeps in the database: changed for the nth time. */
interface Kept {
  change(n: number): Promise<unknown>;
  close(): Promise<void>;
}

type Opener = (address: ServerAddress) => Promise<Kept>;

async function withCluster(
  address: ServerAddress,
  change: (parts: Awaited<ReturnType<typeof openCluster>>, n: number) => Promise<unknown>,
): Promise<Kept> {
  const parts = await openCluster(address, clock);
  return {
    change: (n) => change(parts, n),
    close: async () => {
      for (const part of Object.values(parts)) await part.close();
    },
  };
}

const node = (name: string) => ({ name, incarnation: name, version: '1', place: name });

const KINDS: Readonly<Record<string, Opener>> = {
  'a sign of life': (address) => withCluster(address, async ({ registry }, n) =>
    (n === 0 ? registry.enter(node('here'), 0) : registry.beat(node('here'), n))),
  'a lease': (address) => withCluster(address, ({ leases }) =>
    leases.take('counted', 'here', TTL_MS)),
  'a block that leaves': (address) => withCluster(address, ({ leaving }, n) =>
    leaving.announce('store', [parseBlockId(String(n).repeat(64))])),
  'a failed sign-in': async (address) => {
    const counts = new MariadbFailureCounts({ address, clock });
    const kept = { count: 1, countedAtMs: 1, openAtMs: 1, tags: [], keepMs: TTL_MS };
    return {
      change: (n) => counts.update(['anna'], () => new Map([['anna', { ...kept, count: n + 1 }]])),
      close: () => counts.close(),
    };
  },
  'a webhook': async (address) => {
    const store = await MariadbWebhookStore.open({
      address, clock, seal: new SecretSeal(Buffer.alloc(32, 7)), onUnreadable: () => undefined,
    });
    return {
      change: (n) => store.add({
        id: `of ${n}`, owner: ANNA, url: 'http://127.0.0.1:9/', secret: 's', label: '',
        filter: { kinds: [], path: '' }, createdAt: 1, state: 'active', cursor: undefined,
        pending: undefined, again: [], dead: [], deadInARow: 0,
      }),
      close: () => store.close(),
    };
  },
  'a storage of a tenant': async (address) => {
    const table = await MariadbHomeTable.open(address, clock);
    return {
      change: (n) => table.add(parseTenantId(`acme${n}`), 'default'), close: () => table.close(),
    };
  },
  'a move of a tenant': async (address) => {
    const journal = new MariadbMoveJournal({ address, clock, epoch: 1 });
    return {
      change: (n) => journal.put({
        tenant: ACME, from: 0, to: 1, epoch: 3, state: 'plan', isPaused: false, wish: 'none',
        cursor: { space: parseSpaceId(1), table: 0, key: undefined }, rowsCopied: n,
        rowsFollowed: 0, rowsCompared: 0, isClaimed: true, freezeMs: undefined, freezeFailures: 0,
        begunAt: 1_000, reverseUntil: undefined, trouble: undefined,
      }),
      close: () => journal.close(),
    };
  },
  'a shard that is emptied': async (address) => {
    const journal = new MariadbDrainJournal({ address, clock });
    return {
      change: async (n) => {
        const [last] = await journal.list();
        await journal.put({
          shard: 1, rev: last?.rev ?? 0, state: 'draining', isPaused: false, atOnce: n + 1,
          total: 1, begunAt: 1,
        });
      },
      close: () => journal.close(),
    };
  },
  'a keyed request': async (address) => {
    const store = await MariadbIdempotencyStore.open({ address, clock });
    return {
      change: (n) => store.begin(
        { user: ANNA, key: `k${n}`, fingerprint: 'f' }, clock.now()),
      close: () => store.close(),
    };
  },
};

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

/** As a server does that starts: with a memory of its own. */
async function opened(base: ServerAddress, open: Opener): Promise<Kept> {
  const address = { ...base, known: await knowInstallation(base) };
  const parts = await openCluster(address, clock); // From here on turns are raised.
  for (const part of Object.values(parts)) await part.close();
  return open(address);
}

it('an older copy is refused, whatever it lacks, and what was there is taken again', async () => {
  const base = await server.makeDatabase();
  await claimDatabase(base, { installation: 'ours', mayTake: true });
  const kinds = await Promise.all(Object.entries(KINDS).map(async ([name, open]) => (
    { name, kept: await opened(base, open) })));
  for (const { kept } of kinds) await kept.change(0);
  const data = join(server.folder, 'data');
  const [older, newer] = [join(server.folder, 'older'), join(server.folder, 'newer')];
  const putBack = async (from: string): Promise<void> => {
    rmSync(data, { recursive: true });
    cpSync(from, data, { recursive: true });
    await server.startAgain();
  };
  await server.kill();
  cpSync(data, older, { recursive: true });
  await server.startAgain();
  for (const { kept } of kinds) await kept.change(1);
  await server.kill();
  cpSync(data, newer, { recursive: true });
  await putBack(older);
  const said = await Promise.all(kinds.map(async ({ name, kept }) => {
    const outcome = await kept.change(2).then(() => 'taken', (error: unknown) => (
      error instanceof HoldfastError && /older state/.test(error.message) ? error.code
        : String(error)));
    return `${name}: ${outcome}`;
  }));
  assert.deepEqual(said, kinds.map(({ name }) => `${name}: database-changed`));
  await server.kill();
  await putBack(newer);
  for (const { kept } of kinds) await kept.change(2);
  for (const { kept } of kinds) await kept.close();
});
