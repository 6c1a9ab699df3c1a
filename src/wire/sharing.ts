/** Who shares what with whom. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { PersonShape } from './node.ts';
import { Id, Instant, oneOfWords, PAGING, pageOf, shape } from './shapes.ts';

export const RoleWord = oneOfWords(
  ['none', 'viewer', 'uploader', 'editor', 'owner'],
  'From weak to strong, each may all that those before it may. none: not even see it. viewer: list '
    + 'and read. uploader: and add. editor: and change, delete and restore. owner: and share.',
);

export const ShareKind = oneOfWords(['user', 'group', 'link']);
const Label = Type.String({ maxLength: 1000, description: 'What its maker calls it.' });
const Note = Type.String({ maxLength: 1000, description: 'A word to who receives it.' });

export const ShareShape = shape({
  id: Id,
  nodeId: Id,
  nodeName: Type.String(),
  nodeKind: oneOfWords(['file', 'folder']),
  path: Type.Optional(Type.String({
    description: 'Where whoever asks sees what is shared. Missing: nowhere at present.',
  })),
  kind: ShareKind,
  receiver: Type.Optional(PersonShape),
  role: RoleWord,
  url: Type.Optional(Type.String({ description: 'Address of a link.' })),
  hasPassword: Type.Optional(Type.Boolean()),
  expiresAt: Type.Optional(Instant),
  downloadsMax: Type.Optional(Type.Integer({ minimum: 1 })),
  downloads: Type.Optional(Type.Integer({ minimum: 0 })),
  hideDownload: Type.Optional(Type.Boolean()),
  fileDrop: Type.Optional(Type.Boolean()),
  label: Type.Optional(Label),
  note: Type.Optional(Note),
  mail: Type.Optional(Type.String({ description: 'Where a link was sent to.' })),
  mailState: Type.Optional(oneOfWords(
    ['waiting', 'undeliverable'], 'Of a mail about it. Missing: it was sent, or there is none.',
  )),
  owner: Type.Optional(PersonShape),
  createdAt: Instant,
  createdBy: PersonShape,
  mayChange: Type.Boolean({ description: 'Whoever asks may change and end it.' }),
}, { $id: 'Share' });

export type ShareAnswer = Static<typeof ShareShape>;
export const Shares = pageOf(ShareShape, 'Shares');

const LINK_WISHES = {
  password: Type.Optional(Type.String({
    maxLength: 1024, description: 'Of a link; "" for none from now on.',
  })),
  downloadsMax: Type.Optional(Type.Integer({
    minimum: 0, maximum: 1_000_000_000, description: 'Of a link; 0 for no limit.',
  })),
  hideDownload: Type.Optional(Type.Boolean({
    description: 'Of a link: names are shown, bytes are not handed out.',
  })),
  fileDrop: Type.Optional(Type.Boolean({
    description: 'Of a link to a folder: files can be left there, and nothing is shown.',
  })),
};

export const NewShareShape = shape({
  receiver: Type.Union([
    shape({ kind: oneOfWords(['user', 'group']), id: Id }),
    shape({ kind: oneOfWords(['link']) }),
    shape({ kind: oneOfWords(['mail']), address: Type.String({ minLength: 3, maxLength: 320 }) }),
  ], { description: 'mail: a link that is sent to this address.' }),
  role: RoleWord,
  expiresAt: Type.Optional(Instant),
  label: Type.Optional(Label),
  note: Type.Optional(Note),
  isShown: Type.Optional(Type.Boolean({
    description: 'False: it only says what may be done there, and does not appear among the '
      + 'receiver\'s folders.',
  })),
  notify: Type.Optional(Type.Boolean({ description: 'Tell a user by mail, if that is possible.' })),
  ...LINK_WISHES,
}, { $id: 'NewShare' });

export const ShareChange = shape({
  role: Type.Optional(RoleWord),
  expiresAt: Type.Optional(Type.Union([Instant, Type.Null()], { description: 'null: never.' })),
  label: Type.Optional(Label),
  note: Type.Optional(Note),
  ...LINK_WISHES,
}, { $id: 'ShareChange', description: 'What is not named stays as it is.' });

export const ShareesShape = shape({
  items: Type.Array(shape({
    kind: oneOfWords(['user', 'group']), id: Id, displayName: Type.String(),
  }, { $id: 'Sharee' })),
  canInvite: Type.Boolean({ description: 'Links can be sent by mail.' }),
}, { $id: 'Sharees' });

export const ShareesQuery = shape({
  query: Type.String({ maxLength: 200 }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 20 })),
});

export const AccessShape = shape({
  items: Type.Array(shape({
    kind: oneOfWords(['owner', 'user', 'group', 'link']),
    receiver: Type.Optional(PersonShape),
    role: RoleWord,
    at: shape({
      nodeId: Id,
      path: Type.Optional(Type.String({ description: 'Missing: whoever asks does not see it.' })),
    }, { description: 'Where that was said.' }),
    shareId: Type.Optional(Id),
    label: Type.Optional(Type.String()),
    expiresAt: Type.Optional(Instant),
  }, { $id: 'AccessReason' })),
}, {
  $id: 'Access',
  description: 'Who can see a node, and why: what was said last on the way down to it. none is in '
    + 'it too, as it says who was shut out.',
});

export const SharesQuery = shape({
  direction: oneOfWords(['by-me', 'with-me']), ...PAGING,
});
