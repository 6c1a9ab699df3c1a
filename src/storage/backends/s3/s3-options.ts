/** What an operator can say about a bucket, and the limits of the store in it. */
import type { StoreSharing } from '../../shared/leaving-view.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock, Random } from '../../../platform/index.ts';
import type { BlockSealer } from '../../sealing/block-sealer.ts';
import type { HoldEncrypted } from '../../sealing/key-commands.ts';
import type { OnObjectFinding } from './object-findings.ts';

export interface ObjectCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials. */
  sessionToken?: string;
}

/**
 * How a put makes sure that the block is there whole, after the service has said so.
 *
 * `head` asks for the object's checksum, as the service worked it out from what it stored: one
 * small request more. Where the service has no checksum that proves the bytes, it reads them back
 * instead. `read` always reads them back: one request and the block's size of traffic more.
 */
export type PutCheck = 'head' | 'read';

export interface ObjectStoreOptions {
  bucket: string;
  /** Where in the bucket the store lies: empty, or letters, digits, `.`, `_`, `-`, with a slash at
   *  the end and perhaps between. */
  prefix?: string;
  credentials: ObjectCredentials;
  /** The id of the store that is expected here. A prefix of another store is refused. */
  storeId: string;
  /** Before the names of settings in messages; that of the service when left out. */
  section?: string;
  /** What to do where there is no store yet: found one, or refuse, because one must be there. */
  whenEmpty: 'create' | 'refuse';
  putCheck?: PutCheck;
  /** Certificates (PEM) to trust instead of the system's, for a service with its own authority. */
  ca?: string;
  /** Unencrypted HTTP to another machine is refused without this. */
  allowPlainHttp?: boolean;
  limits?: Partial<ObjectLimits>;
  clock: Clock;
  random: Random;
  /** Hears of everything that is found wrong. Must not throw. */
  onFinding: OnObjectFinding;
  /** How blocks are sealed from now on, and opened; asked whether encrypted ones are here already.
   *  Left out: as they are, and compressed ones are opened. What it throws, the opening throws. */
  openSealer?: (holdEncrypted: HoldEncrypted) => Promise<BlockSealer | undefined>;
  /** Left out: nobody else writes to the store. */
  sharing?: StoreSharing;
  /** A block has left the store: for who keeps copies. */
  onRemoved?: (id: BlockId) => Promise<void>;
}

export interface S3Options extends ObjectStoreOptions {
  /** For example `https://s3.example.org`; Amazon's own for the region when left out. */
  endpoint?: string;
  region: string;
  /** Whether the bucket's name goes into the path or in front of the host name. Left out: into the
   *  path at an `endpoint` of one's own, in front of the host at Amazon. */
  addressing?: 'path' | 'host';
  /** False for a service that refuses what it does not know: no headers with checksums are sent
   *  then, and the ETag proves a put. True when left out. */
  checksumHeaders?: boolean;
}

export interface ObjectLimits {
  /** How long a request may go on without a byte moving, in either direction. */
  silenceTimeoutMs: number;
  /** One call of the store: waiting for its turn, all requests, all pauses between them. */
  operationTimeoutMs: number;
  /** How often one request is tried. */
  attemptsMax: number;
  /** How often a put writes a block that the check after writing did not find whole. */
  writesMax: number;
  /** The pause before the second attempt is up to this, and doubles with each further one. */
  backoffFirstMs: number;
  backoffMaxMs: number;
  putsAtOnceMax: number;
  readsAtOnceMax: number;
  /** Calls that wait for their turn to read; more are `busy`. */
  readsWaitingMax: number;
  /** Puts that wait for their turn; more are `busy`. */
  putsWaitingMax: number;
  /** Bytes of blocks that are accepted and not yet stored; more are `busy`. */
  queueBytesMax: number;
  /** Objects in one page of a listing. */
  pageKeysMax: number;
}

export const OBJECT_LIMITS: ObjectLimits = {
  silenceTimeoutMs: 30_000,
  operationTimeoutMs: 120_000,
  attemptsMax: 4,
  writesMax: 3,
  backoffFirstMs: 100,
  backoffMaxMs: 5_000,
  putsAtOnceMax: 16,
  readsAtOnceMax: 32,
  readsWaitingMax: 4_096,
  putsWaitingMax: 10_000,
  queueBytesMax: 256 * 1024 * 1024,
  pageKeysMax: 1000,
};
