/**
 * Opens all that a server keeps in a MariaDB database, reads each part once, says `ready` and
 * stands still until it is woken (SIGCONT). Then it writes each kind of thing, and prints a line
 * for each: its name, and the code of the refusal, or `written`.
 *
 * Its argument is the address of the database, as JSON.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openCluster } from '../../src/app/cluster-tables.ts';
import { HoldfastError } from '../../src/base/errors.ts';
import {
  DEFAULT_TENANT, parseBlockId, parseSpaceId, parseTenantId, parseUserId,
} from '../../src/base/ids.ts';
import { Identity } from '../../src/identity/index.ts';
import {
  MariadbIdentityStore,
} from '../../src/identity/stores/mariadb/mariadb-identity-store.ts';
import type { MoveRecord } from '../../src/metadata/index.ts';
import {
  MariadbMoveJournal,
} from '../../src/metadata/move/stores/mariadb/mariadb-move-journal.ts';
import {
  MariadbShardDirectory,
} from '../../src/metadata/shards/stores/mariadb/mariadb-directory.ts';
import {
  MariadbMetadataStore,
} from '../../src/metadata/stores/mariadb/mariadb-metadata-store.ts';
import { systemClock as clock } from '../../src/platform/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import {
  MariadbIdempotencyStore,
} from '../../src/protocols/rest/idempotency/stores/mariadb/mariadb-idempotency-store.ts';
import { openMariadbBook } from '../../src/schema/stores/mariadb/mariadb-schema-book.ts';
import { MariadbHomeTable } from '../../src/storage/shared/stores/mariadb/mariadb-home-table.ts';
import {
  MariadbWebhookStore,
} from '../../src/webhooks/stores/mariadb/mariadb-webhook-store.ts';

const address = JSON.parse(process.argv[2] ?? '') as ServerAddress;
const parts = { address, clock };
const [late, lost] = [parseTenantId('late'), parseUserId('lost')];

const MOVE: MoveRecord = {
  tenant: late, from: 0, to: 1, epoch: 3, state: 'plan', isPaused: false, wish: 'none',
  cursor: { space: parseSpaceId(1), table: 0, key: undefined }, rowsCopied: 0, rowsFollowed: 0,
  rowsCompared: 0, isClaimed: true, freezeMs: undefined, freezeFailures: 0, begunAt: 1_000,
  reverseUntil: undefined, trouble: undefined,
};

const metadata = await MariadbMetadataStore.open({ ...parts, create: false });
const accounts = await MariadbIdentityStore.open({ ...parts, create: false });
const identity = await Identity.open({ store: accounts, sealingKey: Buffer.alloc(32), clock });
const keyed = await MariadbIdempotencyStore.open(parts);
const directory = await MariadbShardDirectory.open(parts);
const homes = await MariadbHomeTable.open(address, clock);
const moves = new MariadbMoveJournal({ ...parts, epoch: 1_000_000 });
const { registry, leases, leaving, hints } = await openCluster(address, clock);
const book = await openMariadbBook(address);
const webhooks = await MariadbWebhookStore.open({
  ...parts, seal: identity.sealFor('webhooks'), onUnreadable: () => undefined,
});

// Each has a connection from before.
await metadata.listSpaces(1);
await metadata.ensureSpace({
  tenant: DEFAULT_TENANT, owner: parseUserId('early'), casePolicy: 'sensitive',
  quotaBytes: undefined, at: 1,
});
await identity.users.find(lost);
await directory.read();
await Promise.all([homes.read(), moves.list(), registry.list(), leases.list(), book.listChanges()]);
await Promise.all([leaving.readRound(), hints.read(undefined), webhooks.revs()]);

const WRITES: Readonly<Record<string, () => Promise<unknown>>> = {
  accounts: () => identity.users.add({ id: lost, password: 'correct-horse', admin: true }),
  metadata: () => metadata.ensureSpace({
    tenant: DEFAULT_TENANT, owner: lost, casePolicy: 'sensitive', quotaBytes: undefined, at: 1,
  }),
  keyed: () => keyed.begin({ user: lost, key: 'late', fingerprint: 'f' }, clock.now()),
  directory: () => directory.place(late, 0),
  shard: () => directory.addShard({
    name: 'late', url: 'mariadb://late@db.late/late', passwordPath: undefined, at: 1,
  }),
  home: () => homes.add(late, 'default'),
  takenHome: () => homes.take({ tenant: late, number: 60, policy: 'default', founded: true }),
  foundedHome: () => homes.noteFounded(parseTenantId('acme')),
  move: () => moves.put(MOVE),
  node: () => registry.enter({ name: 'late', incarnation: 'i', version: '1', place: 'late:/' }, 0),
  lease: () => leases.take('late', 'late', 60_000),
  leaving: () => leaving.announce('store', [parseBlockId('00'.repeat(32))]),
  hint: () => hints.tell([1]),
  schema: () => book.putChange({ changeId: 'late', doneAtMs: undefined, minCode: '0' }),
  webhook: () => webhooks.take({
    id: 'late', owner: lost, url: 'http://127.0.0.1:9/', secret: 's', label: '',
    filter: { kinds: [], path: '' }, createdAt: 1,
    state: 'active', cursor: undefined, pending: undefined, again: [], dead: [], deadInARow: 0,
  }),
};

process.stdout.write('ready\n');
process.kill(process.pid, 'SIGSTOP');
await pause(100); // What was woken may run a little before it stands.
for (const [name, write] of Object.entries(WRITES)) {
  const outcome = await write().then(() => 'written', (error: unknown) =>
    (error instanceof HoldfastError ? error.code ?? error.kind : String(error)));
  process.stdout.write(`${name} ${outcome}\n`);
}
process.stdout.write('over\n');
process.exit(0);
