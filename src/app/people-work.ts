/** What is done for accounts by orders: their files handed over, their past looked at. */
import {
  Batches, SpaceDirectory, TimeService, TransferService,
} from '../files/index.ts';
import type { BrakeService, filesSlice, GroupsAt } from '../files/index.ts';
import type { Clock, ValuesOf } from '../platform/index.ts';
import { peopleOf } from '../protocols/index.ts';
import { contentOf } from './home-content.ts';
import { brakePolicy, MassChange, noteDecision } from './mass-change.ts';
import { ofOpenShards } from './shards.ts';
import type { Stores } from './stores.ts';

/** The parts of a server's services that orders use. */
export interface PeopleWork {
  readonly transfers: TransferService;
  readonly time: TimeService;
  readonly batches: Batches;
  readonly brakes: BrakeService;
  readonly now: () => number;
}

/** For one command, while no server runs. */
export async function peopleWorkAlone(
  stores: Stores,
  { clock, dataPath, files }: {
    clock: Clock; dataPath: string; files: ValuesOf<typeof filesSlice.settings>;
  },
): Promise<PeopleWork> {
  const { casePolicy, quotaBytes } = files;
  const now = (): number => clock.now();
  const { metadata, identity, shards } = stores;
  const defaults = { casePolicy, quotaBytes: quotaBytes === 0 ? undefined : quotaBytes };
  const spaces = new SpaceDirectory({ metadata, defaults, now, people: peopleOf(identity) });
  const content = contentOf(stores, spaces, 'cached');
  const groupsAt: GroupsAt = (user, at) => identity.groups.groupsAt(user, at);
  const massChange = new MassChange({
    metadata, clock, policy: brakePolicy(files),
    onDecided: (quarantine) => noteDecision(metadata, { dataPath, quarantine, at: now() }),
  });
  await massChange.load(ofOpenShards(shards));
  const batches = new Batches({ metadata, content, now, keep: massChange.keep });
  const time = new TimeService({ metadata, content, spaces, batches, now, groupsAt });
  const transfers = new TransferService({ metadata, spaces, accounts: identity.users, now });
  return { transfers, time, batches, brakes: massChange.service(batches), now };
}
