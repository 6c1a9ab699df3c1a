/** Files and folders, as the API shows them. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Id, Instant, NameText, PAGING, oneOfWords, shape } from './shapes.ts';

export const MayShape = shape({
  read: Type.Boolean({ description: 'Read it: the content of a file, the list of a folder.' }),
  write: Type.Boolean({ description: 'Change content, times and marks.' }),
  create: Type.Boolean({ description: 'Add files and folders below it.' }),
  delete: Type.Boolean(),
  rename: Type.Boolean({ description: 'Rename and move it.' }),
  share: Type.Boolean({ description: 'Say who else may do what.' }),
}, { $id: 'May', description: 'What whoever asks may do with a node.' });

export const PersonShape = shape({
  id: Id, displayName: Type.String(),
}, { $id: 'Person' });

export const LockShape = shape({
  holder: Id,
  holderName: Type.Optional(Type.String()),
  until: Type.Optional(Instant),
  token: Type.Optional(Type.String({ description: 'Only of locks of whoever asks.' })),
}, { $id: 'Lock' });

export const NodeShape = shape({
  id: Id,
  spaceId: Id,
  name: Type.String({ description: '"" for the root.' }),
  path: Type.String({ description: 'In the tree of whoever asks; "/" is the root.' }),
  kind: oneOfWords(['file', 'folder']),
  sizeBytes: Type.Integer({
    minimum: -1,
    description: 'Content of a file; of a folder all that is below it. -1, of folders of the past '
      + 'only: it is not known.',
  }),
  modifiedAt: Instant,
  etag: Type.String({
    description: 'Quoted, as in the header ETag: give it back in If-Match. That of a folder '
      + 'changes with everything below it.',
  }),
  mediaType: Type.Optional(Type.String({ description: 'Only of files, by the name.' })),
  parentId: Type.Optional(Id),
  may: MayShape,
  isMount: Type.Boolean({
    description: 'It is what somebody else shares: name and place are those chosen here.',
  }),
  isShared: Type.Boolean({
    description: 'It lives in a space of somebody else, or it is itself given to somebody.',
  }),
  isFavorite: Type.Boolean(),
  lock: Type.Optional(LockShape),
  owner: Type.Optional(PersonShape),
  version: Type.Optional(Type.String({ description: 'Of a file: which content it has.' })),
}, { $id: 'Node' });

export type Node = Static<typeof NodeShape>;

export const ON_CONFLICT = oneOfWords(
  ['fail', 'rename'],
  'What happens when the name is taken: refuse (the default), or choose a free name.',
);

export const ChildrenShape = shape({
  folder: NodeShape,
  items: Type.Array(NodeShape),
  nextCursor: Type.Optional(Type.String()),
}, { $id: 'Children' });

export const ChildrenQuery = shape({
  ...PAGING,
  sort: Type.Optional(oneOfWords(
    ['name', 'modified', 'size'],
    'By name (the default) any folder is listed. By anything else, and in descending order, the '
      + 'folder can have 50,000 entries at most.',
  )),
  order: Type.Optional(oneOfWords(['asc', 'desc'])),
});

export const NewFolder = shape({
  kind: oneOfWords(['folder']), name: NameText, onConflict: Type.Optional(ON_CONFLICT),
}, { $id: 'NewFolder' });

export const NodeChange = shape({
  name: Type.Optional(NameText),
  parentId: Type.Optional(Id),
  modifiedAt: Type.Optional(Instant),
  isFavorite: Type.Optional(Type.Boolean()),
  onConflict: Type.Optional(ON_CONFLICT),
}, { $id: 'NodeChange', description: 'All of it, or what comes first in this order.' });

export const NodeCopy = shape({
  parentId: Id,
  name: Type.Optional(NameText),
  onConflict: Type.Optional(ON_CONFLICT),
}, { $id: 'NodeCopy' });

export const Deleted = shape({
  trashId: Type.Optional(Type.String({
    description: 'Where it lies in the trash. Without one it was only taken out of the own tree.',
  })),
}, { $id: 'Deleted' });

