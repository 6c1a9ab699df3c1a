/** Opens webhooks where they are kept: in files of the data directory, or on MariaDB, where all
 *  servers see them. */
import { join } from 'node:path';
import { Identity } from '../identity/index.ts';
import { isThere, silentLog } from '../platform/index.ts';
import type { Clock, Logger } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { FolderWebhookStore } from '../webhooks/index.ts';
import type { WebhookStore } from '../webhooks/index.ts';
import type {
  MariadbWebhookStore,
} from '../webhooks/stores/mariadb/mariadb-webhook-store.ts';
import { openIdentityStore } from './identity-place.ts';
import type { Stores } from './stores.ts';

const FOLDER = 'webhooks';

/** @throws unavailable. */
export async function openWebhookStore(
  root: string, { database, identity }: Pick<Stores, 'database' | 'identity'>,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<WebhookStore> {
  const folder = join(root, FOLDER);
  if (database.kind === 'files') return openFolder(folder, log);
  const store = await openShared(database.address, identity, { clock, log });
  try {
    if (await isThere(folder)) await moveIn(await openFolder(folder, log), store, log);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openFolder(folder: string, log: Logger): Promise<FolderWebhookStore> {
  const store = await FolderWebhookStore.open(folder);
  const { unreadableCount: unreadable } = store;
  if (unreadable > 0) log.error({ unreadable }, 'webhooks that cannot be read were left');
  return store;
}

async function openShared(
  address: ServerAddress, identity: Stores['identity'],
  { clock, log }: { clock: Clock; log: Logger },
): Promise<MariadbWebhookStore> {
  const { MariadbWebhookStore: Store } = await import(
    '../webhooks/stores/mariadb/mariadb-webhook-store.ts');
  return Store.open({
    address, clock, seal: identity.sealFor('webhooks'),
    onUnreadable: (webhook) => log.error({ webhook },
      'a webhook in the database cannot be read with the identity.key of this server'),
  });
}

/** Those that this server kept for itself, as it did before the database had a place for them. A
 *  file goes when the database has what is in it. */
async function moveIn(
  from: FolderWebhookStore, to: MariadbWebhookStore, log: Logger,
): Promise<void> {
  const all = from.everyone();
  for (const webhook of all) {
    await to.take(webhook);
    await from.delete(webhook.id);
  }
  if (all.length > 0) {
    log.info({ webhooks: all.length }, 'webhooks were moved into the database');
  }
}

/** What lies in a database that is left goes into files, in place of what is there of the same
 *  webhook. The files of the accounts must be in place. May be done again. @throws unavailable. */
export async function moveWebhooksOut(
  root: string, { address, clock }: { address: ServerAddress; clock: Clock },
): Promise<void> {
  const accounts = await openIdentityStore(root, { kind: 'files', mayTake: false }, clock);
  const identity = await Identity.open({ ...accounts, clock });
  const from = await openShared(address, identity, { clock, log: silentLog });
  try {
    const to = await FolderWebhookStore.open(join(root, FOLDER));
    for (const id of (await from.revs()).keys()) {
      const kept = await from.find(id);
      if (kept === undefined) continue; // Nobody has its key any more.
      const { webhook } = kept;
      if (await to.change(id, () => webhook) === undefined) await to.add(webhook);
    }
    await to.close();
  } finally {
    await from.close();
    await identity.close();
  }
}
