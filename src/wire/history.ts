/** Versions, the trash, and the past. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { NodeShape } from './node.ts';
import {
  Bytes, Id, Instant, NameText, PAGING, PATH_CHARACTERS_MAX, PathText, ProblemShape, oneOfWords,
  pageOf, shape,
} from './shapes.ts';

export const VersionShape = shape({
  id: Type.String({ description: 'Of this file alone.' }),
  at: Instant,
  sizeBytes: Bytes,
  by: Type.Optional(Id),
  byName: Type.Optional(Type.String({ description: 'What people call them.' })),
  isCurrent: Type.Boolean(),
}, { $id: 'Version' });

export const VersionsShape = shape({
  items: Type.Array(VersionShape),
}, { $id: 'Versions', description: 'Newest first.' });

export const TrashedShape = shape({
  id: Id,
  name: Type.String(),
  kind: oneOfWords(['file', 'folder']),
  originalPath: Type.Optional(Type.String({
    description: 'Where it was: in a space of others from the highest folder that may be seen. '
      + 'Missing when that is not known any more, or not to be told.',
  })),
  deletedAt: Instant,
  deletedBy: Id,
  deletedByName: Type.Optional(Type.String({ description: 'What people call them.' })),
  sizeBytes: Bytes,
}, { $id: 'Trashed' });

export const TrashShape = shape({
  items: Type.Array(TrashedShape),
  nextCursor: Type.Optional(Type.String({ description: 'There is more: ask for it with this.' })),
  mayDrop: Type.Boolean({ description: 'Whoever asks may remove entries for good.' }),
}, { $id: 'Trash' });

const OF_SPACE = {
  spaceId: Type.Optional(Type.String({
    minLength: 1, maxLength: 20,
    description: 'Of a team, or of somebody who shares a folder: the spaceId of any node in it. '
      + 'Its owners see all of its trash, others what they have removed themselves. Without it the '
      + 'own space is meant.',
  })),
};

export const TrashQuery = shape({ ...OF_SPACE, ...PAGING });
export const TrashSpaceQuery = shape(OF_SPACE);

export const EmptiedShape = shape({
  count: Type.Integer({ minimum: 0 }),
}, { $id: 'Emptied' });

const MOMENT = 'A moment in UTC, like 2026-11-20T10:00:00Z.';
export const Moment = Type.String({ maxLength: 40, description: MOMENT });

export const PastQuery = shape({ path: PathText, at: Moment, ...PAGING });
export const PastContentQuery = shape({
  path: PathText, at: Moment,
  disposition: Type.Optional(oneOfWords(['inline', 'attachment'])),
});

export const PastShape = shape({
  folder: NodeShape,
  items: Type.Array(NodeShape),
  nextCursor: Type.Optional(Type.String()),
}, {
  $id: 'Past',
  description: 'A folder as it was. Of folders the size is not kept: sizeBytes is -1.',
});

export const ActivityQuery = shape({
  from: Type.Optional(Moment),
  to: Type.Optional(Moment),
  buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

const Count = Type.Integer({ minimum: 0 });

export const ActivityShape = shape({
  buckets: Type.Array(shape({
    at: Instant, added: Count, changed: Count, moved: Count, deleted: Count,
  })),
  isComplete: Type.Boolean({
    description: 'False: there was more than is looked at; then the newest part is counted.',
  }),
}, { $id: 'Activity' });

export const ActsQuery = shape({
  nodeId: Type.Optional(Type.String({
    minLength: 1, maxLength: 200, description: 'Only what happened at or below it.',
  })),
  only: Type.Optional(oneOfWords(
    ['conflict-copies'], 'Only files that came as conflict copies and are there still.',
  )),
  cursor: PAGING.cursor,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

const ActShape = shape({
  id: Type.String({ description: 'Never the same for two.' }),
  at: Instant,
  by: Type.Optional(Id),
  byName: Type.Optional(Type.String({ description: 'What people call them.' })),
  change: oneOfWords(
    ['added', 'changed', 'moved', 'renamed', 'deleted', 'restored', 'shared', 'unshared'],
  ),
  kind: oneOfWords(['file', 'folder']),
  nodeId: Type.Optional(Type.String({ description: 'Missing: it is not there any more.' })),
  name: Type.String({ description: 'Its name of now; of what was moved or is gone, of then.' }),
  path: Type.Optional(Type.String({
    description: 'Where it is, or was last known to be. Missing: that is gone too.',
  })),
  oldPath: Type.Optional(Type.String({ description: 'Where it was, if it was moved or renamed.' })),
  count: Type.Optional(Type.Integer({
    minimum: 2, description: 'Of a copy: so many came with it, itself among them.',
  })),
}, { $id: 'Act', description: 'Something that somebody has done.' });

export const ActsShape = pageOf(ActShape, 'Acts');

export const DiffQuery = shape({
  from: Moment, to: Type.Optional(Moment), ...PAGING,
});

const DifferenceShape = shape({
  change: oneOfWords(['added', 'changed', 'moved', 'deleted']),
  nodeId: Id,
  kind: oneOfWords(['file', 'folder']),
  path: Type.String({ description: 'Where it is; of what was deleted, where it was.' }),
  oldPath: Type.Optional(Type.String({ description: 'Where it was, if elsewhere.' })),
}, { $id: 'Difference' });

export type Difference = Static<typeof DifferenceShape>;

export const DiffShape = pageOf(DifferenceShape, 'Diff');

export const NewRestore = shape({
  nodeId: Type.Optional(Type.String({
    minLength: 1, maxLength: 200,
    description: 'What is brought back, if it is there now: a file, a folder, or all by the root. '
      + 'Else path says it.',
  })),
  path: Type.Optional(Type.String({
    maxLength: PATH_CHARACTERS_MAX, description: 'Where it was at that moment.',
  })),
  at: Moment,
  withSharing: Type.Optional(Type.Boolean({
    description: 'Shares and links too, as they were then.',
  })),
}, { $id: 'NewRestore' });

export const BatchShape = shape({
  id: Id,
  kind: Type.String(),
  state: Type.String({ description: 'running, done or undone; others may come.' }),
  doneCount: Count,
  totalCount: Type.Optional(Count),
  skippedCount: Count,
  at: Instant,
  endedAt: Type.Optional(Instant),
}, { $id: 'Batch', description: 'A restore under way or over.' });

export const BatchesShape = shape({ items: Type.Array(BatchShape) }, { $id: 'Batches' });

export const LockWish = shape({
  seconds: Type.Optional(Type.Integer({
    minimum: 1, maximum: 86_400, description: 'How long; else as the server is set.',
  })),
}, { $id: 'LockWish' });

const OnConflict = Type.Optional(oneOfWords(['fail', 'rename']));

export const OperationShape = Type.Union([
  shape({
    op: Type.Literal('move'), id: Id, parentId: Type.Optional(Id), name: Type.Optional(NameText),
    onConflict: OnConflict,
  }),
  shape({
    op: Type.Literal('copy'), id: Id, parentId: Id, name: Type.Optional(NameText),
    onConflict: OnConflict,
  }),
  shape({ op: Type.Literal('delete'), id: Id }),
  shape({
    op: Type.Literal('create-folder'), parentId: Id, name: NameText, onConflict: OnConflict,
  }),
  shape({ op: Type.Literal('restore-trash'), id: Id }),
], { $id: 'Operation' });

export const BATCH_OPERATIONS_MAX = 500;

export const Operations = shape({
  operations: Type.Array(OperationShape, { minItems: 1, maxItems: BATCH_OPERATIONS_MAX }),
}, { $id: 'Operations' });

export const ResultsShape = shape({
  results: Type.Array(shape({
    status: Type.Integer({ description: 'As the single request would have answered.' }),
    node: Type.Optional(NodeShape),
    trashId: Type.Optional(Id),
    problem: Type.Optional(ProblemShape),
  })),
}, { $id: 'Results', description: 'One for each operation, in their order.' });
