/** Links that are sent to somebody by mail: the words, the address, and what became of the mail. */
import { HoldfastError } from '../../base/errors.ts';
import type { GrantId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { invitationText, parseMailAddress } from '../../mail/index.ts';
import type { Invitation, LetterState, MailAddress, Outbox, SendLimit } from '../../mail/index.ts';
import type { Share } from './share.ts';

export interface InvitationParts {
  outbox: Outbox;
  limit: SendLimit;
  /** What links begin with: never what a request has called this server, for a stranger could
   *  choose that. Without a slash at its end. */
  publicUrl: string;
}

export class Invitations {
  readonly #parts: InvitationParts;

  constructor(parts: InvitationParts) {
    this.#parts = parts;
  }

  /** Counts one mail of this caller. @throws invalid `mail-address`; busy `mail-limit`. */
  admit(caller: Caller, rawAddress: string): MailAddress {
    const address = parseMailAddress(rawAddress.trim());
    this.#parts.limit.take(caller.user);
    return address;
  }

  /** One invitation to a share at a time: an earlier one that still waits is taken back. Durable
   *  once resolved. @throws busy `mail-outbox-full`; full, unavailable: the disk. */
  async send(caller: Caller, share: Share): Promise<void> {
    const { mail, token } = share.terms;
    if (mail === undefined || token === undefined) throw notByMail();
    const { outbox, publicUrl } = this.#parts;
    const words = invitationText(invitationTo(share, {
      sharer: caller.displayName, url: `${publicUrl}/s/${token}`,
    }));
    await outbox.cancel(aboutOf(share.id));
    await outbox.put({ to: parseMailAddress(mail), about: aboutOf(share.id), ...words });
  }

  /** undefined: it was sent, or there was none. */
  stateOf(id: GrantId): LetterState | undefined {
    return this.#parts.outbox.stateOf(aboutOf(id));
  }

  /** What still waits is not sent any more. */
  async cancel(id: GrantId): Promise<void> {
    await this.#parts.outbox.cancel(aboutOf(id));
  }
}

function aboutOf(id: GrantId): string {
  return `share-${id}`;
}

/** The password is never in a mail: whoever reads the mail would have both. */
function invitationTo(
  { terms, node, role, expiresAt }: Share, { sharer, url }: { sharer: string; url: string },
): Invitation {
  const may = terms.fileDrop === true ? 'drop'
    : terms.hideDownload === true ? 'look'
      : role === 'viewer' ? 'read' : role === 'uploader' ? 'add' : 'edit';
  return {
    sharer, url, may, name: node.name, kind: node.kind === 'file' ? 'file' : 'folder',
    note: terms.note, expiresAt, hasPassword: terms.password !== undefined,
  };
}

export function noMail(): HoldfastError {
  const message = 'This server sends no mail. Make a public link and pass it on yourself.';
  return new HoldfastError('invalid', 'files/share', message, { code: 'mail-off' });
}

export function notByMail(): HoldfastError {
  const message = 'This was not shared by mail: there is no invitation to send again.';
  return new HoldfastError('invalid', 'files/share', message, { code: 'share-refused' });
}
