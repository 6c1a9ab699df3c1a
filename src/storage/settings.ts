/** What the operator can tell the block store. */
import { setting, sizeBytes, slice } from '../platform/index.ts';

const TIB = 1024 ** 4;

export const storageSlice = slice({
  settings: {
    reserveBytes: setting<number | undefined>({
      key: 'storage.reserve', default: undefined,
      parse: (raw) => (raw === '' ? undefined : sizeBytes({ min: 0, max: 1024 * TIB })(raw)),
      unit: 'bytes',
      docs: 'Room on the disk that stays free: below it files can be read and deleted, not added. '
        + 'Left empty: 1 GiB, or 2 % of a smaller disk.',
    }),
  },
});
