/** Orders about one tenant's storage: its disks, and how much there is. They name the tenant. */
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT, parseTenantId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { BlockHome } from './block-home.ts';
import type { BlockHomes } from './block-homes.ts';
import { diskOperations } from './disk-operations.ts';
import type { DiskSurroundings } from './disk-operations.ts';
import { figureOperations } from './figure-operations.ts';

const NAMES = [
  'disk.list', 'disk.add', 'disk.move', 'disk.plan', 'disk.apply', 'store.figures',
] as const;

type HomeSurroundings = Omit<DiskSurroundings, 'useAllDisks'>;

export function homeOperations(
  { homes }: { homes: BlockHomes }, options: HomeSurroundings,
): Operations {
  return Object.fromEntries(NAMES.map((name): [string, Operations[string]] => [
    name, async (input, so) => {
      const tenant = tenantOf(input);
      const home = await homes.knownHome(tenant);
      const useAllDisks = () => homes.useAllDisks(home);
      const act = operationsOf(home, { ...options, useAllDisks })[name];
      if (act === undefined) throw noDisks();
      return act(input, so);
    },
  ]));
}

/** Said by commands; the default tenant's when nobody says. */
export function tenantOf(input: PlainRecord): TenantId {
  const { tenant } = input;
  return typeof tenant === 'string' ? parseTenantId(tenant) : DEFAULT_TENANT;
}

function operationsOf(home: BlockHome, options: DiskSurroundings): Operations {
  if (home.backend.objects !== undefined) return {};
  return { ...diskOperations(home, options), ...figureOperations(home) };
}

function noDisks(): HoldfastError {
  const message = 'The content of files lies in an object store: there are no disks to manage, '
    + 'and how likely it is to lose something is for its operator to say.';
  return new HoldfastError('conflict', 'app/order', message, { code: 'no-disks' });
}
