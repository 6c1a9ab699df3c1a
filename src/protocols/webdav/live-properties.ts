/**
 * Every property that the server works out by itself, in one table. A property whose value is the
 * same for all files, or all folders, of one answer is a `constant`; `each` is asked per node, so
 * it must be cheap: a listing calls it ten thousand times. undefined: the node has none (404).
 */
import type { SpaceId } from '../../base/ids.ts';
import { accessAt, etagOf, isLinkCaller } from '../../files/index.ts';
import type { NotesAt, QuotaState, SeenEntry, SharesAt } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { NodeKind } from '../../metadata/index.ts';
import { escapeText } from '../xml-text.ts';
import { fileIdOf } from './dav-request.ts';
import { httpDate, isoDate } from './http-date.ts';
import type { LockView } from './lock-view.ts';
import { mediaTypeOf } from './media-types.ts';
import { lettersOf, shareBitsOf, shareesXml, shareTypesXml } from './sharing-properties.ts';
import type { PropertyName } from './propfind-request.ts';
import { keyOf } from './propfind-request.ts';
import { LOCK_PROPERTIES, lockTexts } from './user-lock.ts';
import type { LockProperty } from './user-lock.ts';

export const DAV = 'DAV:';
export const OC = 'http://owncloud.org/ns';
export const NC = 'http://nextcloud.org/ns';
export const OCS = 'http://open-collaboration-services.org/ns';

/** Prefixes that every answer declares. */
export const PREFIXES: Readonly<Record<string, string>> = {
  [DAV]: 'd', [OC]: 'oc', [NC]: 'nc', [OCS]: 'ocs',
};

/** What rendering knows besides the node. */
export interface PropertyContext {
  instanceId: string;
  caller: Caller;
  /** All nodes of the answer are the caller's own, and no folder of others is mounted below. */
  isPlain: boolean;
  /** Fetched only when it is asked for; undefined: nothing is shared here, or not the caller's to
   *  know. */
  shares: SharesAt | undefined;
  /** Fetched only when it is asked for. */
  notes: NotesAt | undefined;
  /** Of the spaces in which the nodes live; fetched only when a quota property is asked for. */
  quotas: ReadonlyMap<SpaceId, QuotaState> | undefined;
  /** Fetched only when locks are asked for. */
  locks: LockView | undefined;
}

export interface LiveProperty extends PropertyName {
  constant?: (kind: NodeKind, context: PropertyContext) => string | undefined;
  each?: (node: SeenEntry, context: PropertyContext) => string | undefined;
  /** Answered to allprop: those that RFC 4918, section 15, defines. */
  inAllprop?: boolean;
  /** What must be fetched before it can be rendered. */
  needs?: Need;
}

/** What may have to be fetched besides the nodes. */
export type Need = 'quota' | 'locks' | 'dead' | 'shares' | 'notes';

const onFolders = (value: string) => (kind: NodeKind) => (kind === 'folder' ? value : undefined);
const always = (value: string) => (): string => value;

/** Who has locked a file, for people: folders are not locked in this way. By a link it is seen that
 *  a file is locked and until when, not by whom. */
function lockProperty(local: LockProperty): LiveProperty {
  return {
    namespace: NC, local, needs: 'locks',
    constant: (kind, { locks }) => {
      if (kind === 'file' && locks?.isEmpty === false) return NOT_CONSTANT;
      return kind === 'file' && local === 'lock' ? '0' : undefined;
    },
    each: (node, { locks, caller }) => {
      const lock = locks?.lockOf(node);
      if (lock === undefined) return local === 'lock' ? '0' : undefined;
      if (isLinkCaller(caller) && !SHOWN_BY_LINK.has(local)) return undefined;
      return lockTexts(lock, caller)[local];
    },
  };
}

const SHOWN_BY_LINK: ReadonlySet<LockProperty> = new Set([
  'lock', 'lock-owner-type', 'lock-time', 'lock-timeout',
]);

/** RFC 4331: -3 means that there is no limit. */
const UNLIMITED = '-3';

const LOCK_ENTRY = (scope: string): string => `<d:lockentry><d:lockscope><d:${scope}/>`
  + '</d:lockscope><d:locktype><d:write/></d:locktype></d:lockentry>';

const DAV_PROPERTIES: readonly LiveProperty[] = [
  {
    namespace: DAV, local: 'resourcetype', inAllprop: true,
    constant: (kind) => (kind === 'folder' ? '<d:collection/>' : ''),
  },
  {
    namespace: DAV, local: 'getlastmodified', inAllprop: true,
    each: (node) => httpDate(node.modifiedAt),
  },
  {
    namespace: DAV, local: 'creationdate', inAllprop: true,
    each: (node) => isoDate(node.createdAt),
  },
  {
    namespace: DAV, local: 'displayname', inAllprop: true,
    each: ({ name }, { caller }) => escapeText(
      name !== '' ? name : isLinkCaller(caller) ? caller.displayName : caller.user,
    ),
  },
  {
    namespace: DAV, local: 'getcontentlength', inAllprop: true,
    constant: (kind) => (kind === 'folder' ? undefined : NOT_CONSTANT),
    each: (node) => String(node.sizeBytes),
  },
  {
    namespace: DAV, local: 'getcontenttype', inAllprop: true,
    constant: (kind) => (kind === 'folder' ? undefined : NOT_CONSTANT),
    each: (node) => mediaTypeOf(node.name),
  },
  { namespace: DAV, local: 'getetag', inAllprop: true, each: etagOf },
  {
    namespace: DAV, local: 'supportedlock', inAllprop: true,
    constant: always(LOCK_ENTRY('exclusive') + LOCK_ENTRY('shared')),
  },
  {
    namespace: DAV, local: 'lockdiscovery', inAllprop: true, needs: 'locks',
    constant: (_kind, { locks }) => (locks === undefined || locks.isEmpty ? '' : NOT_CONSTANT),
    each: (node, { locks }) => locks?.xmlOf(node) ?? '',
  },
  {
    namespace: DAV, local: 'quota-available-bytes', needs: 'quota',
    constant: (kind) => (kind === 'folder' ? NOT_CONSTANT : undefined),
    // How much room its owner has left is told by a link only to who may fill it.
    each: (node, { quotas, caller }) => (isLinkCaller(caller) && !accessAt(node).create
      ? undefined : availableBytes(quotas?.get(node.spaceId))),
  },
  {
    namespace: DAV, local: 'quota-used-bytes', needs: 'quota',
    constant: (kind) => (kind === 'folder' ? NOT_CONSTANT : undefined),
    each: (node) => String(node.sizeBytes),
  },
];

const OC_PROPERTIES: readonly LiveProperty[] = [
  { namespace: OC, local: 'id', each: (node, { instanceId }) => fileIdOf(node, instanceId) },
  { namespace: OC, local: 'fileid', each: (node) => String(node.id) },
  { namespace: OC, local: 'size', each: (node) => String(node.sizeBytes) },
  {
    namespace: OC, local: 'permissions',
    constant: (kind, { isPlain }) => (isPlain ? lettersOf({ kind }) : NOT_CONSTANT),
    each: lettersOf,
  },
  {
    namespace: OC, local: 'checksums',
    constant: (kind) => (kind === 'folder' ? undefined : NOT_CONSTANT),
    // Where the bytes are kept back, a checksum would confirm a guess at them.
    each: (node) => (node.checksums === '' || !accessAt(node).download
      ? undefined : `<oc:checksum>${node.checksums}</oc:checksum>`),
  },
  // Another value than empty tells clients that the server came back from a backup.
  { namespace: OC, local: 'data-fingerprint', constant: always('') },
  {
    namespace: OC, local: 'share-types', needs: 'shares',
    constant: (_kind, { shares }) => (shares === undefined ? '' : NOT_CONSTANT),
    each: (node, { shares }) => shareTypesXml(shares?.(node) ?? []),
  },
  {
    namespace: OC, local: 'favorite', needs: 'dead',
    each: (node) => deadOf(node, OC, 'favorite') ?? '0',
  },
  {
    namespace: OC, local: 'owner-id',
    constant: (_kind, { caller, isPlain }) => (isPlain ? escapeText(caller.user) : NOT_CONSTANT),
    each: (node, { caller }) => (isLinkCaller(caller)
      ? undefined : escapeText(ownerOf(node, caller.user))),
  },
  {
    namespace: OC, local: 'owner-display-name',
    constant: (_kind, { caller, isPlain }) =>
      (isPlain ? escapeText(caller.displayName) : NOT_CONSTANT),
    // Of others the id: their shown names are looked up where people are chosen, not per entry.
    each: (node, { caller }) => (isLinkCaller(caller) ? undefined : escapeText(
      node.sight?.isShared === true ? ownerOf(node, caller.user) : caller.displayName,
    )),
  },
  { namespace: OC, local: 'comments-unread', constant: always('0') },
  { namespace: OC, local: 'comments-count', constant: always('0') },
];

const MORE_PROPERTIES: readonly LiveProperty[] = [
  { namespace: NC, local: 'is-encrypted', constant: always('0') },
  { namespace: NC, local: 'has-preview', constant: always('false') },
  {
    namespace: NC, local: 'mount-type',
    constant: (_kind, { isPlain }) => (isPlain ? '' : NOT_CONSTANT),
    each: ({ sight }) => {
      if (sight?.isShared !== true) return '';
      return sight.owner === undefined ? 'group' : 'shared';
    },
  },
  {
    namespace: NC, local: 'is-mount-root',
    constant: (_kind, { isPlain }) => (isPlain ? 'false' : NOT_CONSTANT),
    each: ({ sight }) => String(sight?.isMountRoot === true),
  },
  { namespace: NC, local: 'hidden', constant: always('false') },
  {
    namespace: NC, local: 'note', needs: 'notes',
    constant: (_kind, { notes }) => (notes === undefined ? '' : NOT_CONSTANT),
    each: (node, { notes }) => escapeText(notes?.(node) ?? ''),
  },
  {
    namespace: NC, local: 'sharees', needs: 'shares',
    constant: (_kind, { shares }) => (shares === undefined ? '' : NOT_CONSTANT),
    each: (node, { shares }) => shareesXml(shares?.(node) ?? []),
  },
  { namespace: NC, local: 'system-tags', constant: always('') },
  { namespace: NC, local: 'rich-workspace', constant: onFolders('') },
  ...LOCK_PROPERTIES.map(lockProperty),
  {
    namespace: NC, local: 'creation_time',
    each: (node) => String(Math.floor(node.createdAt / 1000)),
  },
  {
    namespace: OCS, local: 'share-permissions',
    constant: (kind, { isPlain }) => (isPlain ? String(shareBitsOf({ kind })) : NOT_CONSTANT),
    each: (node) => String(shareBitsOf(node)),
  },
];

/** Told by a constant that, for this kind of node, each node has a value of its own. */
export const NOT_CONSTANT = '\0';

export const LIVE_PROPERTIES: readonly LiveProperty[] = [
  ...DAV_PROPERTIES, ...OC_PROPERTIES, ...MORE_PROPERTIES,
];

const BY_KEY = new Map(LIVE_PROPERTIES.map((property) =>
  [keyOf(property.namespace, property.local), property]));

export function findLive({ namespace, local }: PropertyName): LiveProperty | undefined {
  return BY_KEY.get(keyOf(namespace, local));
}

/** The XML of a dead property that was fetched with the node. */
export function deadOf(
  { properties }: SeenEntry, namespace: string, name: string,
): string | undefined {
  return properties?.find((one) => one.name === name && one.namespace === namespace)?.xml;
}

function availableBytes(quota: QuotaState | undefined): string | undefined {
  if (quota === undefined) return undefined;
  const { availableBytes: bytes } = quota;
  return bytes === undefined ? UNLIMITED : String(bytes);
}

function ownerOf({ sight }: SeenEntry, own: string): string {
  if (sight?.isShared !== true) return own;
  return sight.owner ?? '';
}
