/** What administrators have done now and then: files handed over, what is past let go, garbage
 *  collected. */
import { Type } from 'typebox';
import { OF_TENANT } from './people.ts';
import { Bytes, Id, Instant, oneOfWords, PathText, shape } from './shapes.ts';

const Count = Type.Integer({ minimum: 0 });

export const TransferOrderShape = shape({
  toUser: Type.Optional(Id),
  toSpaceId: Type.Optional(Id),
  folder: Type.Optional(PathText),
  planEtag: Type.Optional(Type.String({
    maxLength: 200,
    description: 'etag of the plan that was looked at: does it, if the plan is still the same. '
      + 'Without it only the plan is made.',
  })),
}, {
  $id: 'TransferOrder', description: 'To a user or to a team\'s space: one of them is named.',
});

const ShareLineShape = shape({
  kind: oneOfWords(['user', 'group', 'link']), whom: Type.String(), role: Type.String(),
  path: Type.String(), until: Type.Optional(Instant), hasPassword: Type.Boolean(),
}, { $id: 'TransferredShare' });
const Figures = shape({
  fileCount: Count, folderCount: Count, sizeBytes: Bytes, shareCount: Count, linkCount: Count,
}, { $id: 'TransferFigures' });

export const TransferShape = shape({
  from: Id, to: Type.String(),
  folderName: Type.String({ description: 'What the files are found in by the receiver.' }),
  fileCount: Count, folderCount: Count, sizeBytes: Bytes,
  shares: Type.Array(ShareLineShape, { description: 'They come along; at most 1,000 are named.' }),
  shareCount: Count,
  receivedCount: Type.Integer({
    minimum: 0, description: 'What others share with the account: it stays.',
  }),
  oldVersionCount: Count, trashCount: Count, trashBytes: Bytes,
  isInterrupted: Type.Boolean({ description: 'An order like this was cut short; it goes on.' }),
  notes: Type.Array(Type.String()),
  objections: Type.Array(Type.String(), {
    description: 'Why it is refused; none: it may be done.',
  }),
  etag: Type.String(),
  isDone: Type.Boolean({ description: 'False: this is the plan, and nothing was done.' }),
  report: Type.Optional(shape({
    before: Figures, after: Figures, linksKept: Count, remainingCount: Count,
    differences: Type.Array(Type.String(), { description: 'None: all has arrived as it was.' }),
  }, { $id: 'TransferReport' })),
}, { $id: 'Transfer' });

const Days = Type.Integer({ minimum: 0, maximum: 36_500, description: 'Days; 0: for ever.' });
const RULE = { keepAllDays: Days, keepDailyDays: Days, trashKeepDays: Days };
export const RetentionSubject = shape({
  user: Type.Optional(Id), spaceId: Type.Optional(Id), ...OF_TENANT,
});
export const RetentionRow = shape({
  kind: oneOfWords(['personal', 'team', 'tenant']),
  subject: Type.String({ description: 'The owner, the name of a team, or the tenant.' }),
  tenant: Id, spaceId: Type.Optional(Id),
  rule: shape({
    keepAllDays: Type.Optional(Days), keepDailyDays: Type.Optional(Days),
    trashKeepDays: Type.Optional(Days),
  }, { description: 'What was set here.' }),
  policy: shape(RULE, {
    description: 'What is in force: the whole past, the last version of each day, the trash.',
  }),
}, { $id: 'Retention' });

const Wish = Type.Union([Days, Type.Null()], {
  description: 'null: as the tenant or the settings say.',
});
export const RetentionChange = shape({
  user: Type.Optional(Id), spaceId: Type.Optional(Id), ...OF_TENANT,
  keepAllDays: Type.Optional(Wish), keepDailyDays: Type.Optional(Wish),
  trashKeepDays: Type.Optional(Wish),
}, {
  $id: 'RetentionChange',
  description: 'Of a user, a space, or a tenant: one of them is named. What is left out stays.',
});

const CensusShape = shape({
  number: Count, beganAt: Instant, endedAt: Type.Optional(Instant),
  referenceCount: Count, absentCount: Count, unmetCount: Count, unmetBytes: Bytes,
  condemnedCount: Count, condemnedBytes: Bytes, pendingBytes: Bytes,
}, { $id: 'Census', description: 'One look through everything that refers to stored blocks.' });
export const CollectionShape = shape({
  isOn: Type.Boolean({ description: 'False: the settings have switched it off.' }),
  isRunning: Type.Boolean(),
  censuses: Type.Array(CensusShape, { description: 'Newest first, at most 10.' }),
  trashVolumes: Count, trashBytes: Bytes, unlinkedVolumes: Count, unlinkedBytes: Bytes,
}, { $id: 'Collection' });
