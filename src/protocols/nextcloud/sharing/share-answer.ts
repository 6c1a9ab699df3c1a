/** A share in the words of the client protocol. */
import { parseGroupId, parseUserId } from '../../../base/ids.ts';
import type { Share } from '../../../files/index.ts';
import type { Identity } from '../../../identity/index.ts';
import type { SpaceId } from '../../../base/ids.ts';
import { mediaTypeOf } from '../../webdav/media-types.ts';
import type { OcsValue } from '../ocs-envelope.ts';
import { bitsOf } from './share-bits.ts';
import { lastDayOf } from './share-request.ts';

const SHARE_TYPE = { user: 0, group: 1, link: 3 } as const;
const MAIL_TYPE = 4;

/** Stands where a link's password would: that there is one is all that anybody learns. */
const SECRET = '***';

export function kindOf({ node }: Pick<Share, 'node'>): 'file' | 'folder' {
  return node.kind === 'file' ? 'file' : 'folder';
}

export async function shareAnswer(
  share: Share, { identity, origin }: { identity: Identity; origin: string },
): Promise<OcsValue> {
  const { node, terms, role, subject } = share;
  const kind = kindOf(share);
  const permissions = bitsOf(role, kind, { fileDrop: terms.fileDrop === true });
  const path = `/${(share.path ?? [node.name]).join('/')}`;
  const owner = share.owner ?? share.createdBy;
  const mimetype = kind === 'folder' ? 'httpd/unix-directory' : mediaTypeOf(node.name);
  return {
    id: String(share.id),
    share_type: terms.mail === undefined ? SHARE_TYPE[subject.kind] : MAIL_TYPE,
    uid_owner: share.createdBy,
    displayname_owner: await nameOf(identity, share.createdBy),
    permissions,
    can_edit: share.isMine,
    can_delete: true,
    stime: Math.floor(share.createdAt / 1000),
    parent: null,
    expiration: share.expiresAt === undefined ? null : lastDayOf(share.expiresAt),
    token: terms.token ?? null,
    uid_file_owner: owner,
    displayname_file_owner: await nameOf(identity, owner),
    note: terms.note ?? '',
    label: terms.label ?? '',
    path,
    item_type: kind,
    item_permissions: permissions,
    mimetype,
    has_preview: false,
    storage_id: storageOf(node.spaceId),
    storage: Number(node.spaceId),
    item_source: Number(node.id),
    file_source: Number(node.id),
    file_parent: Number(node.parentId ?? node.id),
    file_target: path,
    item_size: node.sizeBytes,
    item_mtime: Math.floor(node.modifiedAt / 1000),
    // Whether the mail server has it.
    mail_send: terms.mail !== undefined && share.invitation === undefined ? 1 : 0,
    mail_state: share.invitation ?? (terms.mail === undefined ? null : 'sent'),
    hide_download: terms.hideDownload === true ? 1 : 0,
    attributes: null,
    ...await receiverAnswer(share, { identity, origin }),
  };
}

async function receiverAnswer(
  { subject, terms, downloads }: Share,
  { identity, origin }: { identity: Identity; origin: string },
): Promise<Record<string, OcsValue>> {
  if (subject.kind !== 'link') {
    const name = subject.kind === 'user' ? await nameOf(identity, subject.id)
      : (await identity.groups.find(parseGroupId(subject.id)))?.displayName ?? subject.id;
    return {
      share_with: subject.id, share_with_displayname: name,
      share_with_displayname_unique: subject.id, status: [],
    };
  }
  const password = terms.password === undefined ? null : SECRET;
  return {
    share_with: terms.mail ?? password,
    share_with_displayname: terms.mail ?? '(Shared link)', password,
    send_password_by_talk: false, downloads, download_limit: terms.downloadsMax ?? null,
    url: terms.token === undefined ? null : `${origin}/s/${terms.token}`,
  };
}

async function nameOf(identity: Identity, id: string): Promise<string> {
  // Whoever came by a link has no account, and a name that no account can have.
  if (id.startsWith('@')) return id;
  return (await identity.users.find(parseUserId(id)))?.displayName ?? id;
}

function storageOf(id: SpaceId): string {
  return `space::${id}`;
}
