/** What the public API answers. */
export type NodeKind = 'file' | 'folder';

export interface May {
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  readonly delete: boolean;
  readonly rename: boolean;
  readonly share: boolean;
}

export interface Person {
  readonly id: string;
  readonly displayName: string;
}

export interface NodeLock {
  readonly holder: string;
  readonly holderName?: string;
  readonly until?: string;
}

export interface FileNode {
  readonly id: string;
  readonly spaceId: string;
  readonly name: string;
  /** In the caller's tree; the root is `/`. */
  readonly path: string;
  readonly kind: NodeKind;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
  readonly etag: string;
  readonly mediaType?: string;
  readonly parentId?: string;
  readonly may: May;
  readonly isMount: boolean;
  readonly isShared: boolean;
  readonly isFavorite: boolean;
  readonly lock?: NodeLock;
  readonly owner?: Person;
}

export interface Listing {
  readonly folder: FileNode;
  readonly items: readonly FileNode[];
  readonly nextCursor?: string;
}

export interface Session {
  readonly user: Person & {
    readonly email?: string;
    readonly isAdmin: boolean;
    readonly tenant?: string;
  };
  readonly quota: { readonly usedBytes: number; readonly limitBytes?: number };
  readonly root: FileNode;
  readonly server: { readonly version: string; readonly name?: string };
}

export interface Version {
  readonly id: string;
  readonly at: string;
  readonly sizeBytes: number;
  readonly by?: Person | string;
  readonly isCurrent: boolean;
}

export interface TrashItem {
  readonly id: string;
  readonly name: string;
  readonly kind: NodeKind;
  readonly originalPath?: string;
  readonly deletedAt: string;
  readonly deletedBy?: Person | string;
  readonly sizeBytes: number;
}

export type SortField = 'name' | 'modified' | 'size';
export type SortOrder = 'asc' | 'desc';

export interface Sort {
  readonly field: SortField;
  readonly order: SortOrder;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}
