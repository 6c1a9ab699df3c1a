/** Opens the block store in a place that the operator has named: the table of all object stores. */
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import type { Clock, Logger, Random } from '../platform/index.ts';
import type {
  AzurePlaceSettings, GcsPlaceSettings, PlaceSettings, S3PlaceSettings, StoreSharing,
} from '../storage/index.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import type { ObjectFinding } from '../storage/backends/s3/object-findings.ts';
import type { StoreSettings } from '../storage/backends/s3/object-client.ts';
import type { ObjectStoreOptions } from '../storage/backends/s3/s3-options.ts';

const OP = 'app/openObjects';
const SECRET_BYTES_MAX = 16 * 1024;

export interface ObjectPlaceOptions {
  clock: Clock;
  log: Logger;
  random: Random;
  /** Whose store must be in the place. */
  storeId: string;
  whenEmpty: 'create' | 'refuse';
  /** See ObjectStoreOptions. */
  openSealer?: ObjectStoreOptions['openSealer'];
  onRemoved?: (id: BlockId) => Promise<void>;
  /** See ObjectStoreOptions. */
  sharing?: StoreSharing | undefined;
}

/** @throws invalid: a setting that cannot be right, or a file of a secret that cannot be read; and
 *  as ObjectBlockStore.open. */
export async function openObjects(
  { kind, section, values }: PlaceSettings, options: ObjectPlaceOptions,
): Promise<ObjectBlockStore> {
  const common = commonOf(values, section, options);
  if (kind === 's3') return OPEN.s3(values, section, common);
  return kind === 'gcs' ? OPEN.gcs(values, section, common) : OPEN.azure(values, section, common);
}

interface Common extends StoreSettings {
  section: string;
  allowPlainHttp: boolean;
}

const OPEN = {
  s3: async (values: S3PlaceSettings, section: string, common: Common) => {
    const { openS3BlockStore } = await import('../storage/backends/s3/s3-block-store.ts');
    const { endpoint, addressing, region, checksumHeaders } = values;
    const token = await secretOf(
      values.sessionToken, values.sessionTokenPath, `${section}.session_token`,
    );
    return openS3BlockStore({
      ...common, ...(await caOf(values)), region, checksumHeaders,
      bucket: values.bucket ?? '',
      credentials: {
        ...(await keyOf(values, section)), ...(token !== undefined && { sessionToken: token }),
      },
      ...(endpoint !== undefined && { endpoint }),
      ...(addressing !== 'auto' && { addressing }),
    });
  },
  gcs: async (values: GcsPlaceSettings, section: string, common: Common) => {
    const { openGcsBlockStore } = await import('../storage/backends/gcs/gcs-block-store.ts');
    const { endpoint } = values;
    return openGcsBlockStore({
      ...common, ...(await caOf(values)), bucket: values.bucket ?? '',
      credentials: await keyOf(values, section),
      ...(endpoint !== undefined && { endpoint }),
    });
  },
  azure: async (values: AzurePlaceSettings, section: string, common: Common) => {
    const { openAzureBlockStore } = await import('../storage/backends/azure/azure-block-store.ts');
    const { endpoint, account = '', container = '' } = values;
    const key = await secretOf(
      values.accountKey, values.accountKeyPath, `${section}.account_key`,
    );
    const token = await secretOf(values.sasToken, values.sasTokenPath, `${section}.sas_token`);
    return openAzureBlockStore({
      ...common, ...(await caOf(values)), account, container,
      credentials: key === undefined ? { sasToken: token ?? '' } : { accountKey: key },
      ...(endpoint !== undefined && { endpoint }),
    });
  },
};

function commonOf(
  values: PlaceSettings['values'], section: string, options: ObjectPlaceOptions,
): Common {
  const { clock, log, random, storeId, whenEmpty, onRemoved, openSealer, sharing } = options;
  const { prefix, putCheck, allowPlainHttp } = values;
  return {
    section, storeId, whenEmpty, putCheck, allowPlainHttp, clock, random,
    onFinding: (finding) => tell(log, finding),
    ...(prefix !== undefined && { prefix }),
    ...(onRemoved !== undefined && { onRemoved }),
    ...(sharing !== undefined && { sharing }),
    ...(openSealer !== undefined && { openSealer }),
  };
}

async function keyOf(
  values: Pick<S3PlaceSettings, 'accessKeyId' | 'secretAccessKey' | 'secretAccessKeyPath'>,
  section: string,
): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const { accessKeyId = '', secretAccessKey, secretAccessKeyPath } = values;
  const key = `${section}.secret_access_key`;
  const secret = await secretOf(secretAccessKey, secretAccessKeyPath, key);
  return { accessKeyId, secretAccessKey: secret ?? '' };
}

async function caOf({ caPath }: PlaceSettings['values']): Promise<{ ca?: string }> {
  return caPath === undefined ? {} : { ca: await readText(caPath, 'the file of ca_file') };
}

async function secretOf(
  value: string | undefined, path: string | undefined, setting: string,
): Promise<string | undefined> {
  if (path === undefined) return value;
  const text = (await readText(path, `${setting}_file`)).trim();
  if (text !== '') return text;
  throw new HoldfastError('invalid', OP, `${setting}_file names an empty file.`);
}

async function readText(path: string, what: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (what.endsWith('_file') && bytes.length > SECRET_BYTES_MAX) throw new RangeError('too long');
    return bytes.toString('utf8');
  } catch (cause) {
    const message = `${what} cannot be read. Check the path and its rights.`;
    throw new HoldfastError('invalid', OP, message, { cause });
  }
}

type Words = readonly ['error' | 'warn', string];

const WORDS: Readonly<Record<ObjectFinding['kind'], Words>> = {
  'damaged-block': ['error', 'an object is damaged'],
  'damaged-on-the-way': ['error', 'bytes change between the object store and here'],
  'put-not-kept': ['error', 'the object store acknowledged what it does not have'],
  'foreign-object': ['warn', 'something lies among the blocks that is none'],
  'store-replaced': ['error', 'the store in the bucket is gone; nothing is written any more'],
  'count-failed': ['error', 'the blocks in the object store could not be listed'],
};

function tell(log: Logger, finding: ObjectFinding): void {
  const [level, message] = WORDS[finding.kind];
  log[level]({ finding }, message);
}
