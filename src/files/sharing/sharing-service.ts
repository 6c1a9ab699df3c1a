/**
 * Who shares what with whom. A share is a grant at a node: only who has the role of an owner there
 * may make, change, see or end it; who receives one may take it out of the own folders.
 *
 * What a caller cannot see is not-found, whatever is asked about it. Durability: a resolved promise
 * means that the change survives a power cut; it is in force with the next request of anybody.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseGroupId, parseUserId } from '../../base/ids.ts';
import type { GrantId, SpaceId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import { isAtLeast } from '../../base/roles.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  Actor, GrantRecord, Instant, MetadataStore, NodeRecord, Subject,
} from '../../metadata/index.ts';
import type { Random } from '../../platform/index.ts';
import { actorOf } from '../actor.ts';
import { checkAccess, explain, isInForce } from '../access.ts';
import type { Reason } from '../access.ts';
import { notFound } from '../deal.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { isLinkCaller } from '../view/link-caller.ts';
import { lapsedAmong } from '../view/lapse.ts';
import { accessAt } from '../view/sight.ts';
import type { SeenNode } from '../view/sight.ts';
import { Views } from '../view/views.ts';
import { noMail, notByMail } from './invitations.ts';
import type { Invitations } from './invitations.ts';
import { hashLinkToken, makeLinkToken } from './link-token.ts';
import type {
  LinkPasswordKeeper, NewShare, People, Receiver, Share, ShareWishes,
} from './share.ts';
import { presentableText, readTerms, writeTerms } from './terms.ts';
import type { ShareTerms } from './terms.ts';

export interface SharingParts {
  metadata: MetadataStore;
  spaces: SpaceDirectory;
  people: People;
  passwords: LinkPasswordKeeper;
  random: Random;
  now: () => Instant;
  /** undefined: no mail is sent. */
  invitations?: Invitations | undefined;
}

export class SharingService {
  readonly #parts: SharingParts;
  readonly #views: Views;

  constructor(parts: SharingParts) {
    this.#parts = parts;
    this.#views = new Views(parts);
  }

  /** Shares a file or folder, or says who may do what there. A user or group that has a share at
   *  this node already gets that one changed; a link is always a new one.
   *  @throws not-found; denied; invalid: nobody of that name, or what cannot be. */
  async share(caller: Caller, path: readonly Name[], wanted: NewShare): Promise<Share> {
    const node = await this.#own(caller, path);
    const { receiver, role, isShown = role !== 'none' } = wanted;
    const isLink = receiver.kind === 'link' || receiver.kind === 'mail';
    const token = isLink ? makeLinkToken(this.#parts.random) : undefined;
    const subject: Subject = isLink
      ? { kind: 'link', tokenHash: hashLinkToken(token ?? '') }
      : await this.#subject(caller, node, receiver);
    checkWishes(subject, wanted, node);
    this.#checkEnd(wanted);
    const mail = this.#admit(caller, receiver);
    const secret = {
      ...(token !== undefined && { token }), ...(mail !== undefined && { mail }),
    };
    const terms = await this.#terms(secret, wanted);
    await this.#checkNotLastOwner(node, subject, role);
    const there = (await this.#views.grantsOf(node.spaceId)).at(node.id)
      .find((grant) => isSame(grant.subject, subject));
    if (there !== undefined) await this.#endIfLapsed(caller, there);
    const { grant, created } = await this.#parts.metadata.commit({
      op: 'put-grant', spaceId: node.spaceId, nodeId: node.id, subject, role, isShown,
      expiresAt: wanted.expiresAt, terms: writeTerms(terms), actor: this.#actor(caller),
    });
    const share = await this.#shown(caller, grant);
    if (mail !== undefined) return this.#invited(caller, share);
    return created && wanted.notify === true ? this.#notified(caller, share) : share;
  }

  /** Whether links can be sent by mail. */
  get canInvite(): boolean {
    return this.#parts.invitations !== undefined;
  }

  /** Sends the mail about a share once more: the link to whom it was sent, or a notice to a user.
   *  @throws not-found; denied; invalid: it was not shared by mail, no address of the user is
   *  known, or no mail is sent here; busy: too many mails. */
  async invite(caller: Caller, id: GrantId): Promise<Share> {
    const { grant, isMine } = await this.#find(caller, id);
    if (!isMine) throw notYours();
    const { invitations } = this.#parts;
    const { subject } = grant;
    const mail = subject.kind === 'user'
      ? await this.#parts.people.findAddress(parseUserId(subject.id)) : readTerms(grant.terms).mail;
    if (mail === undefined) throw notByMail();
    if (invitations === undefined) throw noMail();
    const to = invitations.admit(caller, mail);
    const share = await this.#shown(caller, grant);
    if (subject.kind === 'user') await invitations.notify(caller, share, to);
    else await invitations.send(caller, share);
    return this.#shown(caller, grant);
  }

  /** Changes what is named and leaves the rest. @throws as share. */
  async change(caller: Caller, id: GrantId, wishes: ShareWishes): Promise<Share> {
    const { grant, node, isMine } = await this.#find(caller, id);
    if (!isMine) throw notYours();
    const { subject, isShown } = grant;
    const role = wishes.role ?? grant.role;
    checkWishes(subject, { ...wishes, role }, node);
    this.#checkEnd(wishes);
    if ('expiresAt' in wishes && isSame(subject, { kind: 'user', id: caller.user })) {
      throw refused('Somebody else must say until when this is shared with you.');
    }
    const expiresAt = 'expiresAt' in wishes ? wishes.expiresAt : grant.expiresAt;
    const terms = await this.#terms(readTerms(grant.terms), wishes);
    await this.#checkNotLastOwner(node, subject, expiresAt === undefined ? role : 'none');
    const hasEnded = subject.kind !== 'link' && await this.#endIfLapsed(caller, grant);
    const { grant: changed } = await this.#parts.metadata.commit({
      op: 'put-grant', spaceId: grant.spaceId, nodeId: grant.nodeId, subject, role,
      ...(!hasEnded && { grantId: id }),
      isShown, expiresAt, terms: writeTerms(terms), actor: this.#actor(caller),
    });
    return this.#shown(caller, changed);
  }

  /** Ends a share; who received it only takes it out of the own folders. @throws not-found. */
  async end(caller: Caller, id: GrantId): Promise<void> {
    const { grant, node, isMine } = await this.#find(caller, id);
    const { spaceId } = grant;
    const actor = this.#actor(caller);
    if (isMine) {
      await this.#checkNotLastOwner(node, grant.subject, 'none');
      await this.#parts.metadata.commit({ op: 'remove-grant', spaceId, grantId: id, actor });
      await this.#parts.invitations?.cancel(id);
      return;
    }
    const mount = await this.#views.mountOf(caller, grant);
    if (mount === undefined) throw noShare();
    await this.#parts.metadata.commit({
      op: 'unmount', spaceId: mount.spaceId, nodeId: mount.nodeId, isDeclined: true, actor,
    });
  }

  /** One that the caller made, may change, or received. @throws not-found. */
  async get(caller: Caller, id: GrantId): Promise<Share> {
    return this.#shown(caller, (await this.#find(caller, id)).grant);
  }

  /** Shares of one file or folder. @throws not-found; denied: not the caller's to know. */
  async listAt(caller: Caller, path: readonly Name[]): Promise<Share[]> {
    const node = await this.#own(caller, path);
    const table = await this.#views.grantsOf(node.spaceId);
    return this.#allShown(caller, table.at(node.id));
  }

  /** Shares of the members of a folder, of those that the caller may change. @throws as listAt. */
  async listMembersOf(caller: Caller, path: readonly Name[]): Promise<Share[]> {
    const folder = await this.#own(caller, path);
    const grants = await this.#parts.metadata.listGrants(folder.spaceId);
    const shares = await this.#allShown(caller, grants);
    return shares.filter(({ node, isMine }) => isMine && node.parentId === folder.id);
  }

  /** All that the caller may change, in the own space and in those of others. */
  async listMade(caller: Caller): Promise<Share[]> {
    const shares: Share[] = [];
    for (const spaceId of await this.#spacesOf(caller)) {
      const grants = await this.#parts.metadata.listGrants(spaceId);
      shares.push(...await this.#allShown(caller, grants));
    }
    return shares.filter(({ isMine }) => isMine);
  }

  /** What others share with the caller and the caller has not declined. */
  async listReceived(caller: Caller): Promise<Share[]> {
    const shares: Share[] = [];
    for (const grant of await this.#views.receivedGrants(caller)) {
      const share = await this.#tryShown(caller, grant);
      if (share?.path !== undefined) shares.push(share);
    }
    return shares;
  }

  /** Who can see this, and why. @throws not-found; denied. */
  async explain(caller: Caller, path: readonly Name[]): Promise<Reason[]> {
    const node = await this.#own(caller, path, { isRootFine: true });
    const { spaceId } = node;
    const ids = (await this.#parts.metadata.findChain(spaceId, node.id) ?? []).map(({ id }) => id);
    const table = await this.#views.grantsOf(spaceId);
    const { owner } = await this.#parts.spaces.find(spaceId);
    const lapsed = await lapsedAmong(this.#parts, ids.flatMap(table.at), { spaceId, owner, table });
    return explain({
      ownerOf: owner, chain: ids, now: this.#parts.now(),
      grantsAt: (at) => table.at(at).filter(({ id, role }) => role === 'none' || !lapsed.has(id)),
    });
  }

  /** Makes a space that belongs to a team; whoever makes it is its first owner, and shares its root
   *  with the others. @throws denied: not an administrator. */
  async makeTeam(caller: Caller, name: Name): Promise<SpaceId> {
    if (!caller.admin) {
      const message = 'Team folders are made by administrators.';
      throw new HoldfastError('denied', 'files/makeTeam', message);
    }
    const { node } = await this.#parts.metadata.commit({
      op: 'make-space', tenant: caller.tenant, name, firstOwner: caller.user,
      ...this.#parts.spaces.defaults, actor: this.#actor(caller),
    });
    if (node === undefined) throw noShare();
    return node.spaceId;
  }

  /** Renames a team's space for those who join later; who is in it has named it themself.
   *  @throws not-found; denied: not an owner, or not a team's. */
  async renameTeam(caller: Caller, path: readonly Name[], name: Name): Promise<void> {
    const { spaceId, parentId } = await this.#own(caller, path);
    if (parentId !== undefined) throw notFound('renameTeam');
    await this.#parts.metadata.commit({
      op: 'rename-space', spaceId, name, actor: this.#actor(caller),
    });
    await this.#parts.spaces.refresh({ id: spaceId });
  }

  /** A node at which the caller may say who may what. @throws not-found; denied. */
  async #own(
    caller: Caller, path: readonly Name[], { isRootFine = false } = {},
  ): Promise<SeenNode & NodeRecord> {
    const { nodes, mount } = await this.#views.walk(caller, path);
    const node = nodes[path.length];
    if (node === undefined || isLinkCaller(caller)) throw notFound('share');
    checkAccess(accessAt(node), 'share');
    if (path.length === 0 && !isRootFine) {
      throw refused('Your whole space cannot be shared. Share a folder in it.');
    }
    return mount?.depth === path.length ? { ...mount.target } : node;
  }

  /** The address that a link is to be sent to, if it is. */
  #admit(caller: Caller, receiver: Receiver): string | undefined {
    if (receiver.kind !== 'mail') return undefined;
    if (this.#parts.invitations === undefined) throw noMail();
    return this.#parts.invitations.admit(caller, receiver.address);
  }

  /** Nobody is told of a share whose mail was not kept: it is taken back then. */
  async #invited(caller: Caller, share: Share): Promise<Share> {
    const { id: grantId, node: { spaceId } } = share;
    try {
      await this.#parts.invitations?.send(caller, share);
    } catch (error) {
      const actor = this.#actor(caller);
      await this.#parts.metadata.commit({ op: 'remove-grant', spaceId, grantId, actor });
      throw error;
    }
    return this.get(caller, grantId);
  }

  /** The share holds whatever becomes of the mail: its receiver finds it without one. */
  async #notified(caller: Caller, share: Share): Promise<Share> {
    const { invitations, people } = this.#parts;
    const { id, subject } = share;
    if (invitations === undefined || subject.kind !== 'user') return share;
    const address = await people.findAddress(parseUserId(subject.id));
    if (address === undefined) return share;
    try {
      await invitations.notify(caller, share, invitations.admit(caller, address));
    } catch (error) {
      const isTrouble = isKind(error, 'busy') || isKind(error, 'full');
      if (!isTrouble && !isKind(error, 'unavailable')) throw error;
    }
    return this.get(caller, id);
  }

  /** What lapsed with its maker is given anew by whoever changes it, who answers for it then. */
  async #endIfLapsed(caller: Caller, grant: GrantRecord): Promise<boolean> {
    const { spaceId, id: grantId } = grant;
    const table = await this.#views.grantsOf(spaceId);
    const { owner } = await this.#parts.spaces.find(spaceId);
    const lapsed = await lapsedAmong(this.#parts, [grant], { spaceId, owner, table });
    if (!lapsed.has(grantId)) return false;
    const actor = this.#actor(caller);
    await this.#parts.metadata.commit({ op: 'remove-grant', spaceId, grantId, actor });
    return true;
  }

  async #subject(
    caller: Caller, node: NodeRecord, receiver: { kind: 'user' | 'group'; id: string },
  ): Promise<Subject> {
    const { people, spaces } = this.#parts;
    if (receiver.kind === 'group') {
      const id = parseGroupId(receiver.id);
      if (!(await people.hasGroup(id, caller.tenant))) {
        throw refused('There is no such group to share with.');
      }
      return { kind: 'group', id };
    }
    const id = parseUserId(receiver.id.toLowerCase());
    const { owner } = await spaces.find(node.spaceId);
    if (id === owner) throw refused('This belongs to that person already.');
    if (id === caller.user) throw refused('You cannot share with yourself.');
    if (!(await people.hasUser(id, caller.tenant))) {
      throw refused('There is nobody of this name to share with.');
    }
    return { kind: 'user', id };
  }

  async #terms(before: ShareTerms, wishes: ShareWishes): Promise<ShareTerms> {
    const { label, note, password, downloadsMax, hideDownload, fileDrop } = wishes;
    const { password: _, downloadsMax: __, ...rest } = before;
    const phc = password === undefined ? before.password
      : password === '' ? undefined : await this.#parts.passwords.hash(password);
    const most = downloadsMax === undefined ? before.downloadsMax : downloadsMax;
    return {
      ...rest,
      ...(label !== undefined && { label: presentableText(label, 'label') }),
      ...(note !== undefined && { note: presentableText(note, 'note') }),
      ...(hideDownload !== undefined && { hideDownload }),
      ...(fileDrop !== undefined && { fileDrop }),
      ...(phc !== undefined && { password: phc }),
      ...(most !== undefined && most > 0 && { downloadsMax: most }),
    };
  }

  #checkEnd({ expiresAt }: ShareWishes): void {
    if (expiresAt === undefined || expiresAt > this.#parts.now()) return;
    throw refused('The end of a share lies in the future. To end it at once, remove it.');
  }

  /** A team without an owner could never be shared, renamed or cleared up again. */
  async #checkNotLastOwner(node: NodeRecord, subject: Subject, role: Role): Promise<void> {
    const { owner } = await this.#parts.spaces.find(node.spaceId);
    if (owner !== undefined || node.parentId !== undefined || role === 'owner') return;
    const table = await this.#views.grantsOf(node.spaceId);
    const owners = table.at(node.id).filter((grant) =>
      grant.role === 'owner' && grant.subject.kind === 'user' && grant.expiresAt === undefined);
    const others = owners.filter((grant) => !isSame(grant.subject, subject));
    if (owners.length === 0 || others.length > 0) return;
    const message = 'A team folder needs an owner. Name another one first.';
    throw new HoldfastError('conflict', 'files/share', message, { code: 'last-owner' });
  }

  async #find(
    caller: Caller, id: GrantId,
  ): Promise<{ grant: GrantRecord; node: NodeRecord; isMine: boolean }> {
    for (const spaceId of isLinkCaller(caller) ? [] : await this.#spacesOf(caller)) {
      const grants = await this.#parts.metadata.listGrants(spaceId);
      const grant = grants.find((one) => one.id === id);
      if (grant === undefined) continue;
      const node = (await this.#parts.metadata.findChain(spaceId, grant.nodeId))?.at(-1);
      if (node === undefined) break;
      const place = await this.#views.placeOf(caller, grant);
      const isMine = place !== undefined && accessAt(place.node).share;
      const received = isMine ? [] : await this.#views.receivedGrants(caller);
      if (isMine || received.some((one) => one.id === id)) return { grant, node, isMine };
    }
    throw noShare();
  }

  async #spacesOf(caller: Caller): Promise<Set<SpaceId>> {
    const own = await this.#views.ownSpace(caller);
    const received = await this.#views.receivedGrants(caller);
    return new Set([own.id, ...received.map(({ spaceId }) => spaceId)]);
  }

  async #allShown(caller: Caller, grants: readonly GrantRecord[]): Promise<Share[]> {
    const shares: Share[] = [];
    for (const grant of grants) {
      const share = await this.#tryShown(caller, grant);
      if (share !== undefined) shares.push(share);
    }
    return shares;
  }

  async #shown(caller: Caller, grant: GrantRecord | undefined): Promise<Share> {
    const share = grant && await this.#tryShown(caller, grant);
    if (share === undefined) throw noShare();
    return share;
  }

  /** undefined: what is shared is not there any more, or the share is over. */
  async #tryShown(caller: Caller, grant: GrantRecord): Promise<Share | undefined> {
    if (!isInForce(grant, this.#parts.now())) return undefined;
    const node = (await this.#parts.metadata.findChain(grant.spaceId, grant.nodeId))?.at(-1);
    if (node === undefined) return undefined;
    const { owner } = await this.#parts.spaces.find(grant.spaceId);
    const place = await this.#views.placeOf(caller, grant);
    const { id, subject, role, expiresAt, createdBy, createdAt, isShown, downloads } = grant;
    const isMine = place !== undefined && accessAt(place.node).share;
    const { password, token, mail, ...open } = readTerms(grant.terms);
    const secret = {
      ...(password !== undefined && { password }), ...(token !== undefined && { token }),
      ...(mail !== undefined && { mail }),
    };
    const invitation = isMine ? this.#parts.invitations?.stateOf(id) : undefined;
    const { sizeBytes } = place?.node ?? node;
    return {
      id, subject, role, expiresAt, createdBy, createdAt, isShown, downloads, owner,
      node: { ...node, sizeBytes },
      terms: isMine ? { ...open, ...secret } : open, path: place?.path, isMine,
      ...(invitation !== undefined && { invitation }),
    };
  }

  #actor(caller: Caller): Actor {
    return actorOf(caller, this.#parts.now());
  }
}

function checkWishes(
  subject: Subject, { role = 'none', downloadsMax, hideDownload, fileDrop, password }: ShareWishes,
  node: NodeRecord,
): void {
  const isLink = subject.kind === 'link';
  if (isLink && (role === 'none' || role === 'owner')) {
    throw refused('A link can let its visitors read, add or edit, and nothing else.');
  }
  const ofLinks = [downloadsMax, hideDownload, fileDrop, password];
  const isOfLink = ofLinks.some((one) => one !== undefined);
  if (!isLink && isOfLink) throw refused('This can be said of links only.');
  if (fileDrop === true && (node.kind !== 'folder' || !isAtLeast(role, 'uploader'))) {
    throw refused('Files can be left in folders only, by a link that lets its visitors add.');
  }
  if (downloadsMax !== undefined && (!Number.isSafeInteger(downloadsMax) || downloadsMax < 0)) {
    throw refused('The number of downloads is a whole number, 0 for no limit.');
  }
}

function isSame(a: Subject, b: Subject): boolean {
  return a.kind !== 'link' && b.kind === a.kind && a.id === b.id;
}

function refused(message: string): HoldfastError {
  return new HoldfastError('invalid', 'files/share', message, { code: 'share-refused' });
}

function noShare(): HoldfastError {
  return new HoldfastError('not-found', 'files/share', 'There is no such share.');
}

function notYours(): HoldfastError {
  const message = 'Only an owner of what is shared can change this.';
  return new HoldfastError('denied', 'files/share', message);
}
