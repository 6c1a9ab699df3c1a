/** What `holdfast user transfer` and `holdfast history` have done: by the server, or alone. */
import { HoldfastError } from '../base/errors.ts';
import { parseUserId } from '../base/ids.ts';
import type { SpaceId, TenantId, UserId } from '../base/ids.ts';
import { parsePath } from '../base/names.ts';
import type { Name } from '../base/names.ts';
import { parseWhen } from '../files/index.ts';
import type { TransferOrder } from '../files/index.ts';
import type { Caller, Identity } from '../identity/index.ts';
import { SPACES_LIMIT_MAX } from '../metadata/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { PeopleWork } from './people-work.ts';
import type { Stores } from './stores.ts';

const OP = 'app/people';
/** Said first: whoever asks and hears nothing at all takes a server that dies for none, and would
 *  do the same once more by itself. */
const BEGUN = { state: 'begun' };
/** Changes of one answer. */
const DIFF_LIMIT = 500;

export function peopleOperations(
  { identity, metadata }: Pick<Stores, 'identity' | 'metadata'>,
  { transfers, time, batches, now }: PeopleWork,
): Operations {
  return {
    'transfer.plan': async (input, { signal }) => {
      const order = await transferOrder({ identity, metadata }, input);
      return plain(await transfers.plan(await operator(identity, order.from), order, signal));
    },
    'transfer.apply': async (input, { progress }) => {
      progress(BEGUN);
      const order = await transferOrder({ identity, metadata }, input);
      return plain(await transfers.transfer(await operator(identity, order.from), order));
    },
    'history.diff': async (input) => {
      const to = optional(input, 'to') ?? new Date(now()).toISOString();
      const after = input['after'];
      const page = await time.compare(await callerOf(identity, userOf(input)), {
        from: parseWhen(textOf(input, 'from')), to: parseWhen(to),
        path: pathOf(input), limit: DIFF_LIMIT, ...(typeof after === 'number' && { after }),
      });
      return plain({ ...page, to });
    },
    'history.restore': async (input, { progress }) => {
      progress(BEGUN);
      const caller = await callerOf(identity, userOf(input));
      const when = parseWhen(textOf(input, 'to'));
      const withSharing = input['sharing'] === true;
      const { id } = await time.restore(caller, pathOf(input), when, { withSharing });
      return plain(await batches.settled(id));
    },
    'history.undo': async (input, { progress }) => {
      progress(BEGUN);
      const caller = await callerOf(identity, userOf(input));
      const { id } = await time.undo(caller, batchOf(input));
      return plain(await batches.settled(id));
    },
    'history.list': async (input) => (
      plain({ batches: await time.listBatches(await callerOf(identity, userOf(input))) })),
  };
}

/** Whoever may give orders to this machine's Holdfast is its administrator. The journal names the
 *  account, and the command as its device. */
async function operator(identity: Identity, user: UserId): Promise<Caller> {
  return { ...await callerOf(identity, user), admin: true };
}

async function callerOf({ users, groups }: Identity, user: UserId): Promise<Caller> {
  const { displayName, tenant } = await users.get(user);
  return {
    user, tenant, displayName, admin: false, device: 'command line', credential: 'session',
    groups: await groups.of(user), groupsRev: 0,
  };
}

async function transferOrder(
  { identity, metadata }: Pick<Stores, 'identity' | 'metadata'>, input: PlainRecord,
): Promise<TransferOrder> {
  const from = parseUserId(textOf(input, 'from'));
  const folder = pathOf(input);
  const team = optional(input, 'team');
  if (team !== undefined) {
    const { tenant } = await identity.users.get(from);
    return { from, folder, to: { team: await findTeam(metadata, tenant, team) } };
  }
  return { from, folder, to: { user: parseUserId(textOf(input, 'to')) } };
}

/** Of a tenant, by name, or where that is not clear by number. */
async function findTeam(
  metadata: MetadataStore, tenant: TenantId, wanted: string,
): Promise<SpaceId> {
  const found: SpaceId[] = [];
  for (let after: SpaceId | undefined; ;) {
    const page = await metadata.listSpaces(SPACES_LIMIT_MAX, after, tenant);
    for (const { id, kind, name, tenant: of } of page) {
      const isMeant = name === wanted || String(id) === wanted;
      if (kind === 'team' && of === tenant && isMeant) found.push(id);
    }
    after = page.at(-1)?.id;
    if (after === undefined || page.length < SPACES_LIMIT_MAX) break;
  }
  const [id] = found;
  if (id !== undefined && found.length === 1) return id;
  if (id === undefined) {
    throw new HoldfastError('not-found', OP, `There is no team folder ${wanted}.`);
  }
  const message = `Several team folders are called so. Name one by its number: ${found.join(', ')}`;
  throw new HoldfastError('conflict', OP, message);
}

function userOf(input: PlainRecord): UserId {
  return parseUserId(textOf(input, 'user'));
}

function pathOf(input: PlainRecord): Name[] {
  const parts = (optional(input, 'folder') ?? '').split('/');
  return parsePath(parts.filter((part) => part !== ''));
}

function batchOf(input: PlainRecord): number {
  const id = Number(textOf(input, 'batch'));
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new HoldfastError('invalid', OP, 'A batch is named by its number: see history list.');
}

function textOf(input: PlainRecord, name: string): string {
  const value = optional(input, name);
  if (value !== undefined) return value;
  throw new HoldfastError('invalid', OP, `The order lacks ${name}.`);
}

function optional(input: PlainRecord, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
