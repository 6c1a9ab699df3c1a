/** What is done for accounts by orders: their files handed over, their past looked at. */
import type { CasePolicy } from '../base/names.ts';
import {
  Batches, ContentStore, SpaceDirectory, TimeService, TransferService,
} from '../files/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Stores } from './stores.ts';

/** The parts of a server's services that orders use. */
export interface PeopleWork {
  readonly transfers: TransferService;
  readonly time: TimeService;
  readonly batches: Batches;
  readonly now: () => number;
}

/** For one command, while no server runs. */
export function peopleWorkAlone(
  { metadata, blocks, backend, identity }: Stores,
  { clock, casePolicy, quotaBytes }: { clock: Clock; casePolicy: CasePolicy; quotaBytes: number },
): PeopleWork {
  const now = (): number => clock.now();
  const content = new ContentStore({
    blocks, metadata, witness: backend.witness, claims: backend.reclaim,
  });
  const defaults = { casePolicy, quotaBytes: quotaBytes === 0 ? undefined : quotaBytes };
  const spaces = new SpaceDirectory({ metadata, defaults, now });
  const batches = new Batches({ metadata, content, now });
  const time = new TimeService({ metadata, content, spaces, batches, now });
  const transfers = new TransferService({ metadata, spaces, accounts: identity.users, now });
  return { transfers, time, batches, now };
}
