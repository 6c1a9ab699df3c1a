/** What the metadata store knows: plain data, safe to send between threads. */
import type { GrantId, NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import type { MountTarget } from './access-records.ts';

/** Milliseconds since 1970 UTC, signed; the range of `Date`. */
export type Instant = number;

/** A tree with a journal, a quota and an owner of its own. */
export interface SpaceRecord {
  id: SpaceId;
  tenant: TenantId;
  kind: 'personal' | 'team';
  /** '' for a personal space. */
  name: string;
  /** Whose personal space this is; undefined for a team space. */
  owner: UserId | undefined;
  rootId: NodeId;
  /** The newest event's revision; 0 before the first. Gap-free. */
  rev: number;
  /** Revision of the last `grant` or `revoke`; 0 before the first. */
  accessRev: number;
  casePolicy: CasePolicy;
  /** undefined: no limit. */
  quotaBytes: number | undefined;
  /** Sum of the sizes of all live files. */
  usedBytes: number;
  createdAt: Instant;
}

/** A mount is a place at which a node of another space is seen: see MountRecord. */
export type NodeKind = 'file' | 'folder' | 'mount';

/** A live file, folder or mount. Its id survives rename, move and overwrite. */
export interface NodeRecord {
  spaceId: SpaceId;
  id: NodeId;
  /** undefined for the root only. */
  parentId: NodeId | undefined;
  /** As the client gave it, byte for byte; '' for the root. */
  name: string;
  kind: NodeKind;
  /** A file's content; a folder's files, recursively; 0 for a mount. */
  sizeBytes: number;
  /** A file's time as its owner's device gave it; a folder's latest change anywhere below it. */
  modifiedAt: Instant;
  createdAt: Instant;
  /** Revision of the last change that a client must see: content or times of a file, anything at
   *  or below a folder. With the id it makes the ETag. A move leaves the moved node's alone. */
  mark: number;
  /** Revision that brought the content; 0 for a folder or mount. */
  contentRev: number;
  /** Verified checksums of the content, for example `SHA1:…`, blank-separated; '' when none. */
  checksums: string;
  /** Only of a mount: what is seen there. */
  target?: MountTarget;
}

/** The ordered blocks of a version: see files/manifest.ts for the bytes. */
export interface VersionRecord {
  spaceId: SpaceId;
  nodeId: NodeId;
  contentRev: number;
  sizeBytes: number;
  modifiedAt: Instant;
  checksums: string;
  manifest: Uint8Array;
  savedAt: Instant;
  savedBy: UserId;
}

export type EventKind =
  | 'create' // a file or folder is new here
  | 'update' // a file's content or a node's times changed
  | 'move' // renamed, moved, or both
  | 'delete' // moved to the trash, with all below it
  | 'restore' // came back from the trash
  | 'properties' // dead properties changed
  | 'grant' // somebody was given a role at a node, or its grant was changed; the tree stays
  | 'revoke'; // a grant was ended; the tree stays

/** One change of a space. `rev` is gap-free, and events never name an unborn parent. */
export interface EventRecord {
  spaceId: SpaceId;
  rev: number;
  kind: EventKind;
  nodeId: NodeId;
  nodeKind: NodeKind;
  /** Where the node was and is; undefined where it was not or is not. */
  parentBefore: NodeId | undefined;
  parentAfter: NodeId | undefined;
  nameBefore: string | undefined;
  nameAfter: string | undefined;
  /** Content after the change; 0 for folders. */
  contentRev: number;
  by: UserId;
  device: string;
  at: Instant;
  /** Only for the `create` of a copy: see CopyOrigin. */
  copiedFrom?: CopyOrigin;
  /** Network address that the change came from; undefined when unknown. */
  from?: string;
  /** Only for changes that were part of a batch. */
  batchId?: number;
  /** Only for `grant` and `revoke`. */
  grantId?: GrantId;
}

/** What a copy was made of: one `create` event stands for all that came with it. It is the tree
 *  below node `nodeId` as it was at revision `rev`, cut after `nodeCount` nodes, taken folder by
 *  folder, breadth first, members by canonical name, mounts left out. The ids of the copies are the
 *  `nodeCount` numbers from the event's `nodeId` upwards, in that order. */
export interface CopyOrigin {
  /** Only when it came from another space: `nodeId` and `rev` are of that one. */
  spaceId?: SpaceId;
  /** Only then: the content revision of all copied files. Else they keep that of the originals. */
  contentRev?: number;
  nodeId: NodeId;
  rev: number;
  nodeCount: number;
}

/** A deleted file or folder that can come back, with all that it held. */
export interface TrashRecord {
  spaceId: SpaceId;
  nodeId: NodeId;
  /** Revision of the deletion. */
  deletedRev: number;
  kind: NodeKind;
  name: string;
  parentId: NodeId;
  sizeBytes: number;
  deletedAt: Instant;
  deletedBy: UserId;
}

/** A property that the server keeps and does not understand (RFC 4918, section 4.2). */
export interface DeadProperty {
  /** Namespace URI; '' for none. */
  namespace: string;
  name: string;
  /** The property element's content as well-formed XML, self-contained as to namespaces. */
  xml: string;
}

/** One entry of a listing. */
export interface FolderEntry extends NodeRecord {
  /** Only when the listing asked for them. */
  properties?: readonly DeadProperty[];
}

export interface LockRecord {
  /** `opaquelocktoken:` and a UUID that tells of what kind it is: see lock-token.ts. */
  token: string;
  spaceId: SpaceId;
  nodeId: NodeId;
  scope: 'exclusive' | 'shared';
  depth: '0' | 'infinity';
  /** The client's own words about the holder, as well-formed XML; '' when none. */
  ownerXml: string;
  holder: UserId;
  expiresAt: Instant;
}

/** An upload in pieces. It belongs to one user and expires when idle. */
export interface UploadRecord {
  owner: UserId;
  /** The client's name for it: 1 to 128 characters. */
  uploadId: string;
  /** Sum of the parts, as announced; undefined when the client did not say. */
  totalBytes: number | undefined;
  createdAt: Instant;
  expiresAt: Instant;
  /** What its end made, once it was assembled: a repeated end answers the same. */
  result: { spaceId: SpaceId; nodeId: NodeId; mark: number; created: boolean } | undefined;
}

/** Where a manifest is referred to from. They are ordered: parts of uploads by owner, upload and
 *  number, text by code point; behind them held contents by id; behind these versions by space,
 *  node and revision. So what goes on from one to the next is not missed. */
export type ManifestPlace =
  | { kind: 'part'; owner: UserId; uploadId: string; number: number }
  | { kind: 'held'; heldId: number }
  | { kind: 'version'; spaceId: SpaceId; nodeId: NodeId; contentRev: number };

export interface ManifestRecord {
  place: ManifestPlace;
  manifest: Uint8Array;
}

export interface UploadPartRecord {
  /** Where the part comes in the whole: parts are ordered by this number. */
  number: number;
  /** As the client named it. */
  name: string;
  sizeBytes: number;
  manifest: Uint8Array;
}
