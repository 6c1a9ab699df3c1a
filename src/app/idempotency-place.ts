/** Opens what keyed requests of the API were answered: in a file of the data directory, or on
 *  MariaDB, where several servers share it. */
import { join } from 'node:path';
import type { Clock } from '../platform/index.ts';
import type { IdempotencyStore } from '../protocols/index.ts';
import {
  SqliteIdempotencyStore,
} from '../protocols/rest/idempotency/stores/sqlite/sqlite-idempotency-store.ts';
import type { DatabasePlace } from './database-place.ts';

export const IDEMPOTENCY_FILE = 'api.db';

/** The database must have been claimed. @throws as the stores do. */
export async function openIdempotencyStore(
  root: string, place: DatabasePlace, clock: Clock,
): Promise<IdempotencyStore> {
  if (place.kind === 'files') {
    return SqliteIdempotencyStore.open({ file: join(root, IDEMPOTENCY_FILE) });
  }
  const { MariadbIdempotencyStore } = await import(
    '../protocols/rest/idempotency/stores/mariadb/mariadb-idempotency-store.ts');
  return MariadbIdempotencyStore.open({ address: place.address, clock });
}
