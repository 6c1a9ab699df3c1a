/** What the operator can tell about moves of tenants. */
import { integer, setting, slice } from '../../platform/index.ts';

export const tenantMoveSlice = slice({
  settings: {
    rowsPerSecond: setting<number>({
      key: 'tenant_move.rows_per_second', default: 20_000,
      parse: integer({ min: 1, max: 10_000_000 }),
      docs: 'How many rows of metadata a tenant\'s move to another shard copies or compares in a '
        + 'second, at most. Less leaves more of the databases to those who work.',
    }),
    wayBackHours: setting<number>({
      key: 'tenant_move.way_back_hours', default: 24, parse: integer({ min: 0, max: 30 * 24 }),
      docs: 'For so long after a move what is changed is carried back as well, so that "tenant '
        + 'move back" loses nothing. Then what the old shard still has is removed.',
    }),
  },
});
