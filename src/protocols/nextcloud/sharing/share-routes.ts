/**
 * The share interface of the client protocol: `apps/files_sharing/api/v1/shares` and `sharees`.
 * Clients' own dialogs use it. What a share promises stands at SharingService.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { parseGrantId } from '../../../base/ids.ts';
import type { GrantId } from '../../../base/ids.ts';
import type { FileService, Share, SharingService } from '../../../files/index.ts';
import type { Caller, Identity } from '../../../identity/index.ts';
import type { Exchange } from '../../../platform/index.ts';
import type { OcsAnswer, OcsValue } from '../ocs-envelope.ts';
import { kindOf, shareAnswer } from './share-answer.ts';
import { bitsOf, DEFAULT_BITS, roleOf } from './share-bits.ts';
import {
  invalid, isSet, parametersOf, pathIn, receiverIn, wishesIn,
} from './share-request.ts';
import type { Parameters } from './share-request.ts';
import { findSharees, noSharees } from './sharees.ts';

export const SHARE_API = 'apps/files_sharing/api/v1/';

export interface ShareRouteParts {
  files: FileService;
  sharing: SharingService;
  identity: Identity;
}

interface ShareRequest {
  exchange: Exchange;
  caller: Caller;
  method: string;
}

const SHAREES_PER_PAGE = 25;

export class ShareRoutes {
  readonly #parts: ShareRouteParts;

  constructor(parts: ShareRouteParts) {
    this.#parts = parts;
  }

  /** `route` is what follows SHARE_API. undefined: there is nothing at this address. */
  async answer(route: string, request: ShareRequest): Promise<OcsAnswer | undefined> {
    const [first, second, third] = route.split('/');
    const { method } = request;
    if (third === 'send-email' && first === 'shares' && method === 'POST') {
      return this.#invite(request, idOf(second ?? ''));
    }
    if (third !== undefined) return undefined;
    if (first === 'sharees' && second === undefined && method === 'GET') {
      return this.#sharees(request);
    }
    if (first === 'sharees_recommended' && second === undefined && method === 'GET') {
      return { status: 200, data: noSharees() };
    }
    if (first !== 'shares') return undefined;
    if (second === undefined) {
      if (method === 'GET') return this.#list(request);
      return method === 'POST' ? this.#make(request) : wrongMethod();
    }
    // Nothing waits for an answer here: a share with somebody of this server is there at once.
    if (second === 'pending' && method === 'GET') return { status: 200, data: [] };
    return this.#one(request, idOf(second));
  }

  async #one(request: ShareRequest, id: GrantId): Promise<OcsAnswer> {
    const { caller, method } = request;
    const { sharing } = this.#parts;
    if (method === 'GET') {
      return { status: 200, data: [await this.#shown(request, await sharing.get(caller, id))] };
    }
    if (method === 'PUT') return this.#change(request, id);
    if (method !== 'DELETE') return wrongMethod();
    await sharing.end(caller, id);
    return { status: 200, data: [] };
  }

  /** Sends the mail once more. A client may name a password to go with it: it is not sent. */
  async #invite(request: ShareRequest, id: GrantId): Promise<OcsAnswer> {
    const share = await this.#parts.sharing.invite(request.caller, id);
    return { status: 200, data: await this.#shown(request, share) };
  }

  async #list(request: ShareRequest): Promise<OcsAnswer> {
    const { exchange, caller } = request;
    const parameters = new Map(exchange.query);
    const path = pathIn(parameters);
    const shares = isSet(parameters, 'shared_with_me')
      ? (await this.#parts.sharing.listReceived(caller)).filter((share) =>
        path === undefined || share.path?.join('/') === path.join('/'))
      : await this.#made(caller, { path, ofMembers: isSet(parameters, 'subfiles') });
    const data: OcsValue[] = [];
    for (const share of shares) data.push(await this.#shown(request, share));
    return { status: 200, data };
  }

  async #made(
    caller: Caller, { path, ofMembers }: { path: ReturnType<typeof pathIn>; ofMembers: boolean },
  ): Promise<Share[]> {
    const { sharing } = this.#parts;
    if (path === undefined) return visible(await sharing.listMade(caller));
    try {
      return visible(ofMembers
        ? await sharing.listMembersOf(caller, path) : await sharing.listAt(caller, path));
    } catch (error) {
      // Dialogs ask for what was shared with their user, too: nothing of it is theirs to know.
      if (isKind(error, 'denied')) return [];
      throw error;
    }
  }

  async #make(request: ShareRequest): Promise<OcsAnswer> {
    const { exchange, caller } = request;
    const parameters = await parametersOf(exchange);
    const path = pathIn(parameters);
    if (path === undefined) throw invalid('Name the file or folder to share.');
    const receiver = receiverIn(parameters);
    const { node } = await this.#parts.files.get(caller, path);
    const kind = kindOf({ node });
    const isLink = receiver.kind === 'link' || receiver.kind === 'mail';
    const usual = isLink ? 'viewer' : roleOf(DEFAULT_BITS, kind)?.role ?? 'viewer';
    const wishes = wishesIn(parameters, { kind, isLink });
    const role = wishes.role ?? usual;
    const notify = !parameters.has('sendMail') || isSet(parameters, 'sendMail');
    const share = await this.#parts.sharing.share(caller, path, {
      ...wishes, receiver, role, notify,
    });
    return this.#done(request, parameters, share);
  }

  async #change(request: ShareRequest, id: GrantId): Promise<OcsAnswer> {
    const { exchange, caller } = request;
    const { sharing } = this.#parts;
    const parameters = await parametersOf(exchange);
    const before = await sharing.get(caller, id);
    const isLink = before.subject.kind === 'link';
    const wishes = wishesIn(parameters, { kind: kindOf(before), isLink });
    return this.#done(request, parameters, await sharing.change(caller, id, wishes));
  }

  /** Says which permissions it became, when not exactly those were there to be had. */
  async #done(request: ShareRequest, parameters: Parameters, share: Share): Promise<OcsAnswer> {
    const wanted = Number(parameters.get('permissions') ?? NaN);
    const kind = kindOf(share);
    const bits = bitsOf(share.role, kind, { fileDrop: share.terms.fileDrop === true });
    const isOther = Number.isInteger(wanted) && wanted !== bits;
    return {
      status: 200, data: await this.#shown(request, share),
      ...(isOther && { message: `OK: the permissions became ${bits} (${share.role}).` }),
    };
  }

  async #sharees({ exchange, caller }: ShareRequest): Promise<OcsAnswer> {
    const { query } = exchange;
    const types = [...query.getAll('shareType[]'), ...query.getAll('shareType')];
    const data = await findSharees({
      identity: this.#parts.identity, caller, search: query.get('search') ?? '',
      types: types.length === 0 ? undefined : new Set(types),
      canInvite: this.#parts.sharing.canInvite,
      perPage: Number(query.get('perPage') ?? SHAREES_PER_PAGE) || SHAREES_PER_PAGE,
    });
    return { status: 200, data };
  }

  #shown({ exchange }: ShareRequest, share: Share): Promise<OcsValue> {
    return shareAnswer(share, { identity: this.#parts.identity, origin: exchange.origin });
  }
}

/** The protocol knows no share that takes away, nor one that is not to be seen as such. */
function visible(shares: Share[]): Share[] {
  return shares.filter(({ role, isShown }) => role !== 'none' && isShown);
}

function idOf(raw: string): GrantId {
  if (/^\d{1,15}$/.test(raw)) return parseGrantId(Number(raw));
  throw new HoldfastError('not-found', 'nextcloud/shares', 'There is no such share.');
}

function wrongMethod(): OcsAnswer {
  return { status: 405, message: 'This address does not take that method.' };
}
