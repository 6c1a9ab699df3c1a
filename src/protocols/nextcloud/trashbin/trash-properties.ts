/** What clients are told of what lies in the trash. */
import type { Trashed } from '../../../files/index.ts';
import type { NodeKind } from '../../../metadata/index.ts';
import { escapeText } from '../../xml-text.ts';
import { httpDate } from '../../webdav/http-date.ts';
import { DAV, NC, OC } from '../../webdav/live-properties.ts';
import { mediaTypeOf } from '../../webdav/media-types.ts';
import type { FixedProperty } from '../fixed-listing.ts';

/** One line of an answer. */
export interface TrashItem {
  id: number;
  kind: NodeKind;
  name: string;
  /** undefined: not known, as of a folder within a deleted one. */
  sizeBytes: number | undefined;
  modifiedAt: number;
  etag: string;
  /** The file id, unique among servers. */
  ocId: string;
  /** Only of what was deleted by itself. */
  trashed: Trashed | undefined;
  /** It may be removed for good by who asks. */
  isDroppable: boolean;
}

type Value = (item: TrashItem) => string | undefined;

const ofFiles = (value: Value): Value => (item) => (item.kind === 'file' ? value(item) : undefined);
const ofEntries = (value: (trashed: Trashed) => string): Value =>
  ({ trashed }) => trashed && value(trashed);
const property = (namespace: string, local: string, value: Value): FixedProperty<TrashItem> =>
  ({ namespace, local, value });

export const TRASH_PROPERTIES: readonly FixedProperty<TrashItem>[] = [
  property(DAV, 'resourcetype', ({ kind }) => (kind === 'folder' ? '<d:collection/>' : '')),
  property(DAV, 'displayname', ({ name }) => escapeText(name)),
  property(DAV, 'getlastmodified', ({ modifiedAt }) => httpDate(modifiedAt)),
  property(DAV, 'getetag', ({ etag }) => etag),
  property(DAV, 'getcontentlength', ofFiles(({ sizeBytes }) => sizeBytes?.toString())),
  property(DAV, 'getcontenttype', ofFiles(({ name }) => mediaTypeOf(name))),
  property(OC, 'id', ({ ocId }) => ocId),
  property(OC, 'fileid', ({ id }) => String(id)),
  property(OC, 'size', ({ sizeBytes }) => sizeBytes?.toString()),
  property(OC, 'permissions', ({ isDroppable }) => (isDroppable ? 'GD' : 'G')),
  property(OC, 'favorite', () => '0'),
  property(NC, 'has-preview', () => 'false'),
  property(NC, 'trashbin-filename', ofEntries(({ name }) => escapeText(name))),
  property(NC, 'trashbin-original-location', ofEntries(({ from, name }) =>
    escapeText([...(from ?? []), name].join('/')))),
  property(NC, 'trashbin-deletion-time', ofEntries(({ deletedAt }) =>
    String(Math.floor(deletedAt / 1000)))),
  property(NC, 'trashbin-deleted-by-id', ofEntries(({ deletedBy }) => escapeText(deletedBy))),
  property(NC, 'trashbin-deleted-by-display-name',
    ofEntries(({ deletedBy }) => escapeText(deletedBy))),
];

/** Folders that are only there to hold others. */
export const PLACE_PROPERTIES: readonly FixedProperty<undefined>[] = [
  { namespace: DAV, local: 'resourcetype', value: () => '<d:collection/>' },
];
