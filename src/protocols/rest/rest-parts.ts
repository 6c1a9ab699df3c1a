/** What the resources of the API call, and what each of their requests brings along. */
import type {
  ActivityFeed, BlockUploads, FileService, FolderVerify, FolderZips, SharingService, TimeService,
  TrashService, UploadService, VersionService,
} from '../../files/index.ts';
import type { Caller, Identity } from '../../identity/index.ts';
import type { Exchange, Random } from '../../platform/index.ts';
import type { Webhooks } from '../../webhooks/index.ts';
import type { Authenticator } from '../authenticate.ts';
import type { Administration } from './administration.ts';
import type { IdempotencyStore } from './idempotency/idempotency-store.ts';

/** What a token may be used for. Who signs in with a password or a cookie has all of them; a device
 *  with its app password all but `admin`. */
export const SCOPES = ['files:read', 'files:write', 'sharing', 'account', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface RestParts {
  files: FileService;
  uploads: UploadService;
  sharing: SharingService;
  trash: TrashService;
  versions: VersionService;
  time: TimeService;
  activity: ActivityFeed;
  zips: FolderZips;
  folderVerify: FolderVerify;
  /** undefined: files are not put together from blocks. */
  blocks?: BlockUploads | undefined;
  identity: Identity;
  authenticator: Pick<Authenticator, 'authenticate'>;
  idempotency: IdempotencyStore;
  /** undefined: there are none here, or not yet. */
  webhooks?: (() => Webhooks | undefined) | undefined;
  /** undefined: nothing can be administered by way of the API. */
  administration?: Administration | undefined;
  instanceId: string;
  now: () => number;
  random: Random;
  lockTimeoutSeconds?: number;
}

/** Who asks, and by what means. */
export interface Asking {
  readonly caller: Caller;
  readonly scopes: ReadonlySet<string>;
  /** The cookie's, when it was a cookie. */
  readonly sessionToken: string | undefined;
}

/** What an operation is given: all of it checked against its schemas. */
export interface RestRequest<Params, Query, Body> extends Asking {
  readonly exchange: Exchange;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}
