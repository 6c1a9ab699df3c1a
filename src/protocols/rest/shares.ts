/** Sharing: with people and groups, by links, and who can see what. */
import { HoldfastError } from '../../base/errors.ts';
import { parseGrantId, parseGroupId } from '../../base/ids.ts';
import type { GrantId, UserId } from '../../base/ids.ts';
import { readTerms } from '../../files/index.ts';
import type { NewShare, Share } from '../../files/index.ts';
import type { Static } from 'typebox';
import type { Exchange } from '../../platform/index.ts';
import { LIST_LIMIT_DEFAULT } from '../../wire/shapes.ts';
import {
  AccessShape, NewShareShape, ShareChange, ShareesQuery, ShareesShape, Shares, ShareShape,
  SharesQuery,
} from '../../wire/sharing.ts';
import type { ShareAnswer } from '../../wire/sharing.ts';
import { findGroups, findUsers } from '../find-people.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { timeOf } from './node-changes.ts';
import { placeOf, textOfPath, timeText } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import { PeopleNames } from './people-names.ts';
import type { Asking, RestParts } from './rest-parts.ts';

const TAG = 'sharing';
const SHAREES_DEFAULT = 20;

export function sharesResource(api: RestApi, parts: RestParts): void {
  sharesOfNodes(api, parts);
  sharesThemselves(api, parts);
  const { sharing, identity } = parts;
  api.operation({
    id: 'findSharees', tag: TAG, method: 'GET', path: '/sharees', scope: 'sharing',
    summary: 'People and groups to share with, by the beginning of a word of the name',
    query: ShareesQuery,
    success: { status: 200, description: 'Whom it found.', schema: ShareesShape },
    async answer({ caller, query: { query: search, limit = SHAREES_DEFAULT } }) {
      const options = { identity, caller, search, limit };
      const found = [...await findUsers(options), ...await findGroups(options)];
      const items = found.map(({ kind, id, displayName }) => ({ kind, id, displayName }));
      return { body: { items, canInvite: sharing.canInvite } };
    },
  });
}

function sharesOfNodes(api: RestApi, parts: RestParts): void {
  const { sharing } = parts;
  api.operation({
    id: 'listNodeShares', tag: TAG, method: 'GET', path: '/nodes/{id}/shares', scope: 'sharing',
    summary: 'What is shared at a file or folder itself',
    params: ById, success: { status: 200, description: 'Its shares.', schema: Shares },
    async answer({ caller, exchange, params }) {
      const { path } = await placeOf(parts, caller, params.id);
      const view = new ShareView(parts, caller, exchange);
      return { body: { items: await view.all(await sharing.listAt(caller, path)) } };
    },
  });
  api.operation({
    id: 'shareNode', tag: TAG, method: 'POST', path: '/nodes/{id}/shares', scope: 'sharing',
    summary: 'Share with a user, a group, or by a link',
    description: 'A user or group that has a share there already gets that one changed; a link is '
      + 'always a new one.',
    params: ById, body: NewShareShape, refusals: [409, 503],
    success: { status: 201, description: 'The share.', schema: ShareShape },
    async answer({ caller, exchange, params, body }) {
      const { path } = await placeOf(parts, caller, params.id);
      const share = await sharing.share(caller, path, wantedShare(body));
      return { body: await new ShareView(parts, caller, exchange).one(share) };
    },
  });
  api.operation({
    id: 'explainAccess', tag: TAG, method: 'GET', path: '/nodes/{id}/access', scope: 'sharing',
    summary: 'Who can see this, and why',
    params: ById, success: { status: 200, description: 'For each of them.', schema: AccessShape },
    async answer({ caller, exchange, params }) {
      const { path } = await placeOf(parts, caller, params.id);
      const view = new ShareView(parts, caller, exchange);
      const reasons = await sharing.explain(caller, path);
      return { body: { items: await Promise.all(reasons.map((reason) => view.reason(reason))) } };
    },
  });
}

function sharesThemselves(api: RestApi, parts: RestParts): void {
  const { sharing } = parts;
  api.operation({
    id: 'listShares', tag: TAG, method: 'GET', path: '/shares', scope: 'sharing',
    summary: 'What is shared by whoever asks, or with them',
    query: SharesQuery,
    success: { status: 200, description: 'Oldest first.', schema: Shares },
    async answer({ caller, exchange, query: { direction, cursor, limit = LIST_LIMIT_DEFAULT } }) {
      const all = direction === 'by-me' ? await sharing.listMade(caller)
        : await sharing.listReceived(caller);
      const list = `shares ${direction}`;
      const [after] = cursor === undefined ? [0] : readCursor(list, cursor, ['number']);
      const rest = all.filter(({ id }) => id > after).toSorted((a, b) => a.id - b.id);
      const page = rest.slice(0, limit);
      const last = page.at(-1);
      const items = await new ShareView(parts, caller, exchange).all(page);
      const isMore = rest.length > page.length && last !== undefined;
      return { body: { items, ...(isMore && { nextCursor: makeCursor(list, last.id) }) } };
    },
  });
  api.operation({
    id: 'getShare', tag: TAG, method: 'GET', path: '/shares/{id}', scope: 'sharing',
    summary: 'One share', params: ById,
    success: { status: 200, description: 'It.', schema: ShareShape },
    async answer({ caller, exchange, params }) {
      const share = await sharing.get(caller, grantIdOf(params.id));
      return { body: await new ShareView(parts, caller, exchange).one(share) };
    },
  });
  api.operation({
    id: 'changeShare', tag: TAG, method: 'PATCH', path: '/shares/{id}', scope: 'sharing',
    summary: 'Change what is named, and leave the rest', params: ById, body: ShareChange,
    refusals: [409], success: { status: 200, description: 'As it is now.', schema: ShareShape },
    async answer({ caller, exchange, params, body }) {
      const { expiresAt, ...rest } = body;
      const until = expiresAt === null ? { expiresAt: undefined }
        : expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt) };
      const share = await sharing.change(caller, grantIdOf(params.id), { ...rest, ...until });
      return { body: await new ShareView(parts, caller, exchange).one(share) };
    },
  });
  api.operation({
    id: 'endShare', tag: TAG, method: 'DELETE', path: '/shares/{id}', scope: 'sharing',
    summary: 'End a share; who received it takes it out of the own folders',
    params: ById, refusals: [409], success: { status: 204, description: 'It is over.' },
    async answer({ caller, params }) {
      await sharing.end(caller, grantIdOf(params.id));
      return {};
    },
  });
  api.operation({
    id: 'sendShareMail', tag: TAG, method: 'POST', path: '/shares/{id}/mail', scope: 'sharing',
    summary: 'Send the mail about a share once more', params: ById, refusals: [503],
    success: { status: 200, description: 'It is on its way.', schema: ShareShape },
    answer: async ({ caller, exchange, params }) => ({
      body: await new ShareView(parts, caller, exchange)
        .one(await sharing.invite(caller, grantIdOf(params.id))),
    }),
  });
}

function wantedShare({ expiresAt, ...rest }: Static<typeof NewShareShape>): NewShare {
  return { ...rest, ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }) };
}

const GRANT_ID = /^[1-9][0-9]{0,15}$/;

function grantIdOf(text: string): GrantId {
  if (GRANT_ID.test(text) && Number.isSafeInteger(Number(text))) return parseGrantId(Number(text));
  throw new HoldfastError('not-found', 'rest/shares', 'There is no such share.');
}

type Reason = Awaited<ReturnType<RestParts['sharing']['explain']>>[number];

/** How shares look to one caller. */
class ShareView {
  readonly #parts: RestParts;
  readonly #caller: Asking['caller'];
  readonly #names: PeopleNames;
  /** Of the addresses of links, as whoever asks has called this server. */
  readonly #origin: string;

  constructor(
    parts: RestParts, caller: Asking['caller'], { origin }: Pick<Exchange, 'origin'>,
  ) {
    this.#origin = origin;
    this.#parts = parts;
    this.#caller = caller;
    this.#names = new PeopleNames(parts.identity);
  }

  all(shares: readonly Share[]): Promise<ShareAnswer[]> {
    return Promise.all(shares.map((share) => this.one(share)));
  }

  async one(share: Share): Promise<ShareAnswer> {
    const { id, node, subject, role, terms, expiresAt, owner, path, invitation } = share;
    const { label, note, hideDownload, fileDrop, downloadsMax, mail, token } = terms;
    const isLink = subject.kind === 'link';
    const receiver = isLink ? undefined : await this.#receiver(subject);
    return {
      id: String(id), nodeId: String(node.id), nodeName: node.name,
      nodeKind: node.kind === 'file' ? 'file' : 'folder',
      ...(path !== undefined && { path: textOfPath(path) }),
      kind: subject.kind, ...(receiver !== undefined && { receiver }), role,
      ...(token !== undefined && { url: `${this.#origin}/s/${token}` }),
      ...(isLink && { hasPassword: terms.password !== undefined, downloads: share.downloads }),
      ...(expiresAt !== undefined && { expiresAt: timeText(expiresAt) }),
      ...(downloadsMax !== undefined && { downloadsMax }),
      ...(hideDownload !== undefined && { hideDownload }),
      ...(fileDrop !== undefined && { fileDrop }),
      ...(label !== undefined && { label }), ...(note !== undefined && { note }),
      ...(mail !== undefined && { mail }),
      ...(invitation !== undefined && { mailState: invitation }),
      ...(owner !== undefined && { owner: await this.#names.user(owner) }),
      createdAt: timeText(share.createdAt), createdBy: await this.#names.user(share.createdBy),
      mayChange: share.isMine,
    };
  }

  async reason({ subject, role, nodeId, grant }: Reason) {
    const place = await this.#parts.files.findById(this.#caller, nodeId);
    const isLink = subject.kind === 'link';
    const { label } = grant === undefined ? {} : readTerms(grant.terms);
    const receiver = isLink ? undefined
      : await this.#receiver({ kind: subject.kind === 'group' ? 'group' : 'user', id: subject.id });
    return {
      kind: subject.kind === 'space-owner' ? 'owner' as const : subject.kind,
      ...(receiver !== undefined && { receiver }), role,
      at: { nodeId: String(nodeId), ...(place && { path: textOfPath(place.path) }) },
      ...(grant !== undefined && { shareId: String(grant.id) }),
      ...(label !== undefined && { label }),
      ...(grant?.expiresAt !== undefined && { expiresAt: timeText(grant.expiresAt) }),
    };
  }

  #receiver({ kind, id }: { kind: string; id: string }) {
    return kind === 'group' ? this.#names.group(parseGroupId(id)) : this.#names.user(id as UserId);
  }
}
