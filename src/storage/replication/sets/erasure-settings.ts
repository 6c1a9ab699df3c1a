/** What the operator can tell about erasure-coded volumes. */
import { integer, seconds, setting, slice } from '../../../platform/index.ts';
import { STORAGE_POLICIES } from '../../storage-policies.ts';
import type { ErasurePolicy } from './set-parts.ts';

const DATA_MAX = 16;
const PARITY_MAX = 4;
const DAY_SECONDS = 24 * 60 * 60;
const COLD_DAYS = 30;

export const erasureSlice = slice({
  sets: STORAGE_POLICIES,
  settings: {
    erasureData: setting({
      key: 'storage.erasure.data', default: 0, parse: integer({ min: 0, max: DATA_MAX }),
      docs: 'So many old volumes form a set: each keeps one copy, and parity stands for the '
        + 'others. 0: no sets are made; those that there are stay.',
    }),
    erasureParity: setting({
      key: 'storage.erasure.parity', default: 2, parse: integer({ min: 1, max: PARITY_MAX }),
      docs: 'Parity files of a set: so many of its disks may be lost at once. All volumes and '
        + 'parity files of a set lie in different failure domains.',
    }),
    erasureAfterSeconds: setting({
      key: 'storage.erasure.after', default: COLD_DAYS * DAY_SECONDS,
      parse: seconds({ min: 0, max: 3650 * DAY_SECONDS }), unit: 'seconds',
      docs: 'A volume is old enough for a set when it was finished so long ago.',
    }),
  },
});

/** Undefined: no sets are made. */
export function erasurePolicy(
  { erasureData, erasureParity, erasureAfterSeconds }: {
    erasureData: number; erasureParity: number; erasureAfterSeconds: number;
  },
): ErasurePolicy | undefined {
  if (erasureData === 0) return undefined;
  return { data: erasureData, parity: erasureParity, afterMs: erasureAfterSeconds * 1000 };
}
