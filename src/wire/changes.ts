/** What has changed, as it is told to those who follow. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { CHANGES_LIMIT_DEFAULT, CHANGES_LIMIT_MAX, WAIT_SECONDS_MAX } from './change-limits.ts';
import { MayShape } from './node.ts';
import { Id, Instant, oneOfWords, shape } from './shapes.ts';

export const ChangedNodeShape = shape({
  id: Id,
  spaceId: Id,
  name: Type.String(),
  path: Type.String({ description: 'In the tree of whoever asks.' }),
  kind: oneOfWords(['file', 'folder']),
  parentId: Type.Optional(Id),
  may: MayShape,
  isMount: Type.Boolean(),
  isShared: Type.Boolean(),
  sizeBytes: Type.Optional(Type.Integer({
    minimum: 0, description: 'Only of files, as are the time, the ETag and what follows.',
  })),
  modifiedAt: Type.Optional(Instant),
  etag: Type.Optional(Type.String()),
  mediaType: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
}, {
  $id: 'ChangedNode',
  description: 'As a Node, less what changes with everything below a folder.',
});

export const ChangeShape = shape({
  kind: oneOfWords(['added', 'changed', 'moved', 'removed']),
  key: Type.String({
    description: 'What the copy keeps it under: the id; below something shared the id of that, a '
      + 'slash, and the id.',
  }),
  parentKey: Type.Optional(Type.String({ description: 'Key of the folder that it lies in.' })),
  nodeId: Type.Optional(Id),
  node: Type.Optional(ChangedNodeShape),
  path: Type.Optional(Type.String({ description: 'Where it is, or was when it went.' })),
  oldPath: Type.Optional(Type.String({ description: 'Where it was before it was moved.' })),
  isWhole: Type.Boolean({
    description: 'All below it may be otherwise than it was: list it anew.',
  }),
  at: Type.Optional(Instant),
  by: Type.Optional(Type.String({ description: 'Id of the user who did it last.' })),
}, {
  $id: 'Change',
  description: 'One node as it is now. docs/following-changes.md says how a copy takes it in.',
});

const Cursor = Type.String({ description: 'The next page begins behind this one.' });

export const ChangesShape = Type.Union([
  shape({
    items: Type.Array(ChangeShape),
    cursor: Cursor,
    isMore: Type.Boolean({ description: 'The next page has something already.' }),
  }),
  shape({
    reset: Type.Literal(true, {
      description: 'The cursor cannot be followed: list everything, and follow from this one.',
    }),
    cursor: Cursor,
  }),
], { $id: 'Changes' });

export type ChangedNode = Static<typeof ChangedNodeShape>;
export type Change = Static<typeof ChangeShape>;
export type Changes = Static<typeof ChangesShape>;

const CURSOR = {
  cursor: Type.Optional(Type.String({
    description: 'That of the page before. Without one, or with a damaged one, the answer is a '
      + 'reset.',
  })),
};

export const ChangesQuery = shape({
  ...CURSOR,
  limit: Type.Optional(Type.Integer({
    minimum: 1, maximum: CHANGES_LIMIT_MAX, default: CHANGES_LIMIT_DEFAULT,
  })),
  wait: Type.Optional(Type.Integer({
    minimum: 0, maximum: WAIT_SECONDS_MAX, default: 0,
    description: 'Seconds for which the answer may wait until there is something to say.',
  })),
});

export const FollowQuery = shape(CURSOR);
