/** Mail about shares, with a link or to somebody with an account: the words, the address, and what
 *  became of the mail. */
import { HoldfastError } from '../../base/errors.ts';
import type { GrantId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import { invitationText, noticeText, parseMailAddress } from '../../mail/index.ts';
import type {
  LetterState, MailAddress, MailText, Notice, Outbox, SendLimit,
} from '../../mail/index.ts';
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
    const url = `${this.#parts.publicUrl}/s/${token}`;
    const notice = noticeOf(share, { sharer: caller.displayName, url });
    // The password is never in a mail: whoever reads the mail would have both.
    const hasPassword = share.terms.password !== undefined;
    await this.#put(share, parseMailAddress(mail), invitationText({ ...notice, hasPassword }));
  }

  /** To somebody with an account, who finds what is shared after signing in. @throws as send. */
  async notify(caller: Caller, share: Share, to: MailAddress): Promise<void> {
    const url = `${this.#parts.publicUrl}/`;
    await this.#put(share, to, noticeText(noticeOf(share, { sharer: caller.displayName, url })));
  }

  async #put({ id }: Share, to: MailAddress, words: MailText): Promise<void> {
    const { outbox } = this.#parts;
    await outbox.cancel(aboutOf(id));
    await outbox.put({ to, about: aboutOf(id), ...words });
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

function noticeOf(
  { terms, node, role, expiresAt, path }: Share, { sharer, url }: { sharer: string; url: string },
): Notice {
  const may = terms.fileDrop === true ? 'drop'
    : terms.hideDownload === true ? 'look'
      : role === 'viewer' ? 'read' : role === 'uploader' ? 'add' : 'edit';
  return {
    // The root of a team's space has no name but the one that it has among the sharer's folders.
    sharer, url, may, name: node.name === '' ? path?.at(-1) ?? '' : node.name,
    kind: node.kind === 'file' ? 'file' : 'folder', note: terms.note, expiresAt,
  };
}

export function noMail(): HoldfastError {
  const message = 'This server sends no mail. Make a public link and pass it on yourself.';
  return new HoldfastError('invalid', 'files/share', message, { code: 'mail-off' });
}

export function notByMail(): HoldfastError {
  const message = 'There is nobody to send a mail to: it was not shared by mail, or no address of '
    + 'the account is known.';
  return new HoldfastError('invalid', 'files/share', message, { code: 'share-refused' });
}
