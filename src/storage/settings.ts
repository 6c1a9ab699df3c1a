/** What the operator can tell the block store. */
import {
  integer, oneOf, optionalText, seconds, setting, sizeBytes, slice,
} from '../platform/index.ts';
import { REPLICATION_DEFAULTS } from './replication/open-replicated-files.ts';
import type { CompressionMode } from './sealing/block-sealer.ts';
import { DOMAIN_LEVELS, type DomainLevel } from './replication/volume-disk.ts';
import { STORAGE_POLICIES } from './storage-policies.ts';
import { VOLUME_ENDS } from './volume-ends.ts';

const TIB = 1024 ** 4;
const COPIES_MAX = 8;
const DAY_SECONDS = 24 * 60 * 60;

export const storageSlice = slice({
  sets: STORAGE_POLICIES,
  settings: {
    reserveBytes: setting<number | undefined>({
      key: 'storage.reserve', default: undefined,
      parse: (raw) => (raw === '' ? undefined : sizeBytes({ min: 0, max: 1024 * TIB })(raw)),
      unit: 'bytes',
      docs: 'Room on the disk that stays free: below it files can be read and deleted, not added. '
        + 'Left empty: 1 GiB, or 2 % of a smaller disk.',
    }),
    copies: setting({
      key: 'storage.copies', default: 0, parse: integer({ min: 0, max: COPIES_MAX }),
      docs: 'On how many disks everything lies. 0: on one while there is one, on two of two, on '
        + 'three of three and more. Disks are added with `holdfast disk add`.',
    }),
    acksMin: setting({
      key: 'storage.copies_acknowledged', default: 0, parse: integer({ min: 0, max: COPIES_MAX }),
      docs: 'How many of the copies must be on disk before anybody is told that a file is stored; '
        + 'the others are made up at once. 0: two, or one if there is only one copy.',
    }),
    domain: setting<DomainLevel>({
      key: 'storage.failure_domain', default: 'disk', parse: oneOf(DOMAIN_LEVELS),
      docs: 'What may fail as a whole: no two copies lie in the same disk, host, rack or zone.',
    }),
    missingAfterSeconds: setting({
      key: 'storage.missing_after', default: REPLICATION_DEFAULTS.missingAfterMs / 1000,
      parse: seconds({ min: 1, max: 30 * DAY_SECONDS }), unit: 'seconds',
      docs: 'A disk or filer that does not answer for so long is taken for lost, and the copies on '
        + 'it are made anew elsewhere.',
    }),
    volumeBytes: setting({
      key: 'storage.volume_size', default: VOLUME_ENDS.sizeBytes,
      parse: sizeBytes({ min: 1024 ** 2, max: 4 * 1024 ** 3 }), unit: 'bytes',
      docs: 'A volume that has grown to this is finished, and a new one is begun.',
    }),
    sealAfterSeconds: setting({
      key: 'storage.seal_after', default: VOLUME_ENDS.ageMs / 1000,
      parse: seconds({ min: 0, max: 365 * DAY_SECONDS }), unit: 'seconds',
      docs: 'A volume that is written for so long is finished although it is not full, so that the '
        + 'room of what was deleted from it can be given back. 0: only when it is full.',
    }),
    compression: setting<CompressionMode>({
      key: 'storage.compression', default: 'off', parse: oneOf(['off', 'auto']),
      docs: '`auto` compresses what becomes at least a tenth smaller. It costs processor time with '
        + 'every upload. Versions of Holdfast before this one cannot open such volumes or buckets.',
    }),
    encryptionKeyPath: setting<string | undefined>({
      key: 'storage.encryption_key_file', default: undefined, parse: optionalText,
      docs: 'The file of the master key, outside of the data directory. With it everything stored '
        + 'from then on is encrypted (AES-256-GCM), in a mirror and a cache, too; make the keys '
        + 'with `holdfast keys init`.',
    }),
    repairBytesPerSecond: setting({
      key: 'storage.repair_rate', default: REPLICATION_DEFAULTS.repairBytesPerSecond,
      parse: sizeBytes({ min: 1024 ** 2, max: TIB }), unit: 'bytes',
      docs: 'How much repairs may copy in a second, so that users do not notice them.',
    }),
  },
  check({ copies, acksMin }) {
    if (copies === 0 || acksMin <= copies) return [];
    const problem = 'there cannot be more acknowledged copies than copies';
    return [{ key: 'storage.copies_acknowledged', problem }];
  },
});
