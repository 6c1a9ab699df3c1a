/** Where blocks lie: local volumes or an object store, with a cache in front or a mirror beside. */
import { join } from 'node:path';
import {
  oneOf, optionalText, setting, sizeBytes, slice,
} from '../platform/index.ts';
import type { Contradiction, Settings, ValuesOf } from '../platform/index.ts';
import { CACHE_DEFAULTS } from './cache/cache-limits.ts';
import type { MirrorPolicy } from './mirror/mirror-limits.ts';
import { azureSettings, gcsSettings, s3Settings } from './object-settings.ts';
import { STORAGE_POLICIES } from './storage-policies.ts';

export const BACKENDS = ['local', 's3', 'gcs', 'azure'] as const;
export type Backend = (typeof BACKENDS)[number];
export const OBJECT_BACKENDS = ['s3', 'gcs', 'azure'] as const;
export type ObjectBackend = (typeof OBJECT_BACKENDS)[number];

const MIRRORS = ['off', ...BACKENDS] as const;
export type MirrorBackend = (typeof MIRRORS)[number];

const GIB = 1024 ** 3;
const TIB = 1024 ** 4;

/** `bucket` becomes `s3Bucket`: a slice has one name for each of its settings. */
type Named<P extends string, S extends Settings> = {
  readonly [K in keyof S & string as `${P}${Capitalize<K>}`]: S[K];
};

function named<const P extends string, const S extends Settings>(prefix: P, own: S): Named<P, S> {
  const pairs = Object.entries(own).map(([name, one]) => [nameIn(prefix, name), one]);
  return Object.fromEntries(pairs) as Named<P, S>;
}

function nameIn(prefix: string, name: string): string {
  return `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

const PLACES = {
  s3: s3Settings('storage.s3'),
  gcs: gcsSettings('storage.gcs'),
  azure: azureSettings('storage.azure'),
  mirrorS3: s3Settings('storage.mirror.s3'),
  mirrorGcs: gcsSettings('storage.mirror.gcs'),
  mirrorAzure: azureSettings('storage.mirror.azure'),
};

const settings = {
  backend: setting<Backend>({
    key: 'storage.backend', default: 'local', parse: oneOf(BACKENDS),
    docs: 'Where the content of files lies: in volumes on disks, or as objects in a bucket of S3 '
      + '(Amazon\'s or any other), Google Cloud Storage, or Azure Blob storage. It is chosen '
      + 'before the first start; `holdfast storage move` moves everything elsewhere. Names, '
      + 'versions and accounts always lie in the data directory.',
  }),
  ...named('s3', PLACES.s3),
  ...named('gcs', PLACES.gcs),
  ...named('azure', PLACES.azure),
  cachePath: setting<string | undefined>({
    key: 'storage.cache.folder', default: undefined, parse: optionalText,
    docs: 'A folder on a fast disk, for this server alone, in which lately used content of an '
      + 'object store is kept. It may be deleted at any time. Left empty: only small blocks are '
      + 'kept, in memory.',
  }),
  cacheBytes: setting<number>({
    key: 'storage.cache.size', default: CACHE_DEFAULTS.bytesMax,
    parse: sizeBytes({ min: 64 * 1024 ** 2, max: 1024 * TIB }), unit: 'bytes',
    docs: 'What the cache may take of its disk.',
  }),
  mirror: setting<MirrorBackend>({
    key: 'storage.mirror.backend', default: 'off', parse: oneOf(MIRRORS),
    docs: 'A second place that gets a copy of everything, such as another site: a folder, or an '
      + 'object store with settings of its own below `storage.mirror`. Reads fall over to it.',
  }),
  mirrorPolicy: setting<MirrorPolicy>({
    key: 'storage.mirror.policy', default: 'async', parse: oneOf(['async', 'sync']),
    docs: '`sync`: nobody is told that a file is stored before both places have it. `async`: the '
      + 'second one follows; what it lacks is noted durably.',
  }),
  mirrorBytesPerSecond: setting<number | undefined>({
    key: 'storage.mirror.copy_rate', default: undefined, unit: 'bytes',
    parse: (raw) => (raw === '' ? undefined : sizeBytes({ min: 64 * 1024, max: 64 * GIB })(raw)),
    docs: 'How much a second the copying may take of the line. Left empty: all of it.',
  }),
  mirrorQueuePath: setting<string | undefined>({
    key: 'storage.mirror.queue_folder', default: undefined, parse: optionalText,
    docs: 'Where the list of what the second place lacks is kept, best on a disk that syncs '
      + 'quickly. Left empty: `mirror` in the data directory.',
  }),
  mirrorFolder: setting<string | undefined>({
    key: 'storage.mirror.local.folder', default: undefined, parse: optionalText,
    docs: 'The folder of a mirror on this machine, on another disk, for this server alone.',
  }),
  ...named('mirrorS3', PLACES.mirrorS3),
  ...named('mirrorGcs', PLACES.mirrorGcs),
  ...named('mirrorAzure', PLACES.mirrorAzure),
};

export type BackendSettings = ValuesOf<typeof settings>;
export type S3PlaceSettings = ValuesOf<typeof PLACES.s3>;
export type GcsPlaceSettings = ValuesOf<typeof PLACES.gcs>;
export type AzurePlaceSettings = ValuesOf<typeof PLACES.azure>;

/** Which of the places is meant, and its settings as they are called there. */
export type PlaceSettings =
  | { kind: 's3'; section: string; values: S3PlaceSettings }
  | { kind: 'gcs'; section: string; values: GcsPlaceSettings }
  | { kind: 'azure'; section: string; values: AzurePlaceSettings };

export const backendSlice = slice({ settings, check, sets: STORAGE_POLICIES });

/** The place of the store itself, or with `isMirror` that of its mirror. */
export function placeSettings(
  values: BackendSettings, kind: ObjectBackend, isMirror: boolean,
): PlaceSettings {
  const prefix = isMirror ? nameIn('mirror', kind) : kind;
  const own: Settings = PLACES[prefix as keyof typeof PLACES];
  const all = values as Readonly<Record<string, unknown>>;
  const pairs = Object.keys(own)
    .map((name): [string, unknown] => [name, all[nameIn(prefix, name)]]);
  const section = `storage.${isMirror ? 'mirror.' : ''}${kind}`;
  return { kind, section, values: Object.fromEntries(pairs) } as PlaceSettings;
}

const PREFIXES = [
  's3Prefix', 'gcsPrefix', 'azurePrefix', 'mirrorS3Prefix', 'mirrorGcsPrefix', 'mirrorAzurePrefix',
] as const;
const FOLDERS = ['cachePath', 'mirrorQueuePath', 'mirrorFolder'] as const;

/** The same places, a part of each: everything lies below `part` there, which ends in a slash. */
export function partOf(values: BackendSettings, part: string): BackendSettings {
  const moved: Record<string, string> = {};
  for (const name of PREFIXES) moved[name] = `${values[name] ?? ''}${part}`;
  for (const name of FOLDERS) {
    const folder = values[name];
    if (folder !== undefined) moved[name] = join(folder, part);
  }
  return Object.assign({ ...values }, moved);
}

function check(values: BackendSettings): Contradiction[] {
  const { backend, mirror, cachePath, mirrorFolder } = values;
  const problems: Contradiction[] = [];
  const refuse = (key: string, problem: string): void => void problems.push({ key, problem });
  for (const kind of OBJECT_BACKENDS) {
    problems.push(...lacking(placeSettings(values, kind, false), backend === kind));
    problems.push(...lacking(placeSettings(values, kind, true), mirror === kind));
  }
  if (cachePath !== undefined && backend === 'local') {
    refuse('storage.cache.folder', 'local volumes need no cache: leave storage.cache.folder empty, '
      + 'or choose an object store as storage.backend');
  }
  if (mirror === 'local' && mirrorFolder === undefined) {
    refuse('storage.mirror.local.folder', 'name the folder of the mirror');
  }
  if (mirror !== 'local' && mirrorFolder !== undefined) {
    refuse('storage.mirror.local.folder', 'it belongs to storage.mirror.backend = "local"');
  }
  const isSame = backend !== 'local' && backend === mirror
    && where(placeSettings(values, backend, false)) === where(placeSettings(values, backend, true));
  if (isSame) {
    refuse('storage.mirror.backend', 'the mirror is the very place that it should be a copy of');
  }
  return problems;
}

/** Text that tells places apart; no secret is in it. */
export function where({ kind, values }: PlaceSettings): string {
  const { endpoint = 'default', prefix = '' } = values;
  const name = kind === 'azure' ? `${values.account}/${values.container}` : values.bucket;
  return `${kind} ${endpoint} ${name}/${prefix}`;
}

/** What a chosen place lacks, or what is said of one that was not chosen. */
function lacking(place: PlaceSettings, isChosen: boolean): Contradiction[] {
  const { section, kind, values } = place;
  const problems: Contradiction[] = [];
  const isSaid = kind === 'azure' ? values.container !== undefined : values.bucket !== undefined;
  const name = kind === 'azure' ? 'container' : 'bucket';
  if (!isChosen) {
    const choice = section.startsWith('storage.mirror')
      ? 'storage.mirror.backend' : 'storage.backend';
    const problem = `${section}.${name} is set, and ${choice} is not "${kind}": set both or none`;
    return isSaid ? [{ key: `${section}.${name}`, problem }] : [];
  }
  const need = (key: string, has: boolean, what: string): void => {
    if (!has) problems.push({ key: `${section}.${key}`, problem: `${section}.${key} ${what}` });
  };
  const one = (key: string, given: readonly unknown[]): void => {
    const count = given.filter((value) => value !== undefined).length;
    need(key, count > 0, 'is missing, or the same in a file');
    need(key, count < 2, 'is said more than once: keep one');
  };
  need(name, isSaid, 'is missing');
  if (kind === 'azure') {
    need('account', values.account !== undefined, 'is missing');
    const { accountKey, accountKeyPath, sasToken, sasTokenPath } = values;
    one('account_key', [accountKey, accountKeyPath, sasToken, sasTokenPath]);
    return problems;
  }
  need('access_key_id', values.accessKeyId !== undefined, 'is missing');
  one('secret_access_key', [values.secretAccessKey, values.secretAccessKeyPath]);
  if (kind === 's3') {
    const isTwice = values.sessionToken !== undefined && values.sessionTokenPath !== undefined;
    need('session_token', !isTwice, 'is said more than once: keep one');
  }
  return problems;
}

