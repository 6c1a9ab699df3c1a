/** What the operator can tell the files module. */
import type { CasePolicy } from '../base/names.ts';
import { integer, oneOf, seconds, setting, sizeBytes, slice } from '../platform/index.ts';

const TIB = 1024 ** 4;

export const filesSlice = slice({
  settings: {
    casePolicy: setting<CasePolicy>({
      key: 'files.case_policy', default: 'sensitive',
      parse: oneOf(['sensitive', 'insensitive']),
      docs: 'Whether README and readme are two files (sensitive) or clash (insensitive; choose it '
        + 'when people sync to Windows or macOS). Holds for spaces made from then on.',
    }),
    quotaBytes: setting<number>({
      key: 'files.quota', default: 0, parse: sizeBytes({ min: 0, max: 1024 * TIB }), unit: 'bytes',
      docs: 'How much each new user may store; 0 for no limit. For example "10 GiB".',
    }),
    reservationSeconds: setting<number>({
      key: 'files.reservation_timeout', default: 10 * 60,
      parse: seconds({ min: 1, max: 24 * 60 * 60 }), unit: 'seconds',
      docs: 'Where a quota holds, an upload reserves its room before it is read. If nothing more '
        + 'comes of it for so long, or the server is killed, the room is free again.',
    }),
    lockTimeoutSeconds: setting<number>({
      key: 'locks.timeout', default: 30 * 60, parse: seconds({ min: 60, max: 24 * 60 * 60 }),
      unit: 'seconds',
      docs: 'For so long a file stays locked that somebody has locked in a sync client, unless the '
        + 'client asks for another time or renews the lock. Nobody can lock for more than a day.',
    }),
    massChangeLimit: setting<number>({
      key: 'files.mass_change.limit', default: 1_000, parse: integer({ min: 0, max: 1_000_000 }),
      docs: 'When one device deletes or overwrites more older files than this within '
        + '`files.mass_change.window`, what it goes on deleting and overwriting is held until '
        + 'somebody decides: see docs/runbooks/device-held-back.md. 0: none is ever held back.',
    }),
    massChangeSeconds: setting<number>({
      key: 'files.mass_change.window', default: 10 * 60,
      parse: seconds({ min: 1, max: 24 * 60 * 60 }), unit: 'seconds',
      docs: 'The time in which deletions and overwrites of one device are counted together. Files '
        + 'that have changed within it count for nothing.',
    }),
    trashKeepDays: setting<number>({
      key: 'files.trash_keep_days', default: 30, parse: integer({ min: 0, max: 36_500 }),
      unit: 'days',
      docs: 'For so long what was deleted can be restored; 0 for ever. It is forgotten after that, '
        + 'and its room is given back.',
    }),
    keepAllDays: setting<number>({
      key: 'files.history_keep_days', default: 30, parse: integer({ min: 0, max: 36_500 }),
      unit: 'days',
      docs: 'For so long every version of every file is kept and the whole past can be seen and '
        + 'restored; 0 for ever. After that versions are thinned out.',
    }),
    keepDailyDays: setting<number>({
      key: 'files.versions_keep_daily_days', default: 365, parse: integer({ min: 0, max: 36_500 }),
      unit: 'days',
      docs: 'For so long the last version of each day is kept, and after that the last one of each '
        + 'month.',
    }),
  },
});
