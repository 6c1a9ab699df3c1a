/** What the operator can tell about changes of the schema. */
import { integer, seconds, setting, slice } from '../platform/index.ts';

const HOUR_S = 60 * 60;
const DAY_S = 24 * 60 * 60;

export const schemaSlice = slice({
  settings: {
    stepAfterSeconds: setting<number>({
      key: 'schema.step_after', default: HOUR_S,
      parse: seconds({ min: 0, max: 365 * DAY_S }), unit: 'seconds',
      docs: 'At least so long lies between two steps of a change of the tables: adding what is '
        + 'new, writing rows anew, taking away what is old. A fault of one step then shows before '
        + 'the next.',
    }),
    contractAfterSeconds: setting<number>({
      key: 'schema.contract_after', default: 14 * DAY_S,
      parse: seconds({ min: 0, max: 365 * DAY_S }), unit: 'seconds',
      docs: 'So long after a change of the tables was made on every shard, what it replaces stays: '
        + 'until then the version before can be started again. See holdfast schema contract.',
    }),
    rowsPerSecond: setting<number>({
      key: 'schema.rows_per_second', default: 200, parse: integer({ min: 1, max: 1_000_000 }),
      docs: 'How many rows of one shard are brought into a new form in a second, at most.',
    }),
  },
});
