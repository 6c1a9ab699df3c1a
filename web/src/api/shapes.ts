/** What the page calls the shapes of the API. */
import type { Children, Node, Trashed } from '../../../src/wire/client.ts';

export type { Session, Version } from '../../../src/wire/client.ts';
/** A file or folder; `Node` is something else in a browser. */
export type FileNode = Node;
export type Listing = Children;
export type TrashItem = Trashed;

export type SortField = 'name' | 'modified' | 'size';
export type SortOrder = 'asc' | 'desc';

export interface Sort {
  readonly field: SortField;
  readonly order: SortOrder;
}
