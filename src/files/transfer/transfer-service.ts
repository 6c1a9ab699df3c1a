/**
 * Hands the files of one account over to another, or to a team: with folders, times, shares and
 * links, so that everybody who was given something still has it, and every address still works.
 *
 * First all is gathered in one folder of the old space (see gathering.ts), then this folder crosses
 * in one transaction. So after a crash either nothing has crossed, all of it still belongs to the
 * old account, and the same order goes on; or everything has. What others share with the account is
 * not its own and stays. Older versions and the trash stay too, and are kept as long as ever.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseUserId } from '../../base/ids.ts';
import type { GrantId, NodeId, TenantId, UserId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  Actor, GrantRecord, Instant, MetadataStore, NodeRecord, SpaceRecord,
} from '../../metadata/index.ts';
import { failpoint } from '../../platform/index.ts';
import { actorOf } from '../actor.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { differences } from './compare.ts';
import { findGathering, freeNameIn, makeGathering, unmark } from './gathering.ts';
import { takeInventory } from './inventory.ts';
import type { Inventory, ReceivedLine } from './inventory.ts';
import { findPlaces, keepPlace } from './received-places.ts';
import type { ReceivedPlace } from './received-places.ts';
import {
  countOldVersions, countTrash, locksInTheWay, notesOn, objectionsTo,
} from './transfer-plan.ts';
import type { Ground, TransferOrder, TransferPlan } from './transfer-plan.ts';

export interface TransferParts {
  readonly metadata: MetadataStore;
  readonly spaces: SpaceDirectory;
  readonly accounts: Accounts;
  readonly now: () => Instant;
}

/** Who there is, disabled accounts too; `identity` knows. */
export interface Accounts {
  find(
    id: UserId,
  ): Promise<{ readonly disabled: boolean; readonly tenant: TenantId } | undefined>;
}

export interface TransferReport {
  readonly plan: TransferPlan;
  readonly folderName: string;
  readonly before: TransferFigures;
  readonly after: TransferFigures;
  /** Links of which the same address leads to what it led to. */
  readonly linksKept: number;
  /** Places among the receivers' own folders that stayed as they were, and that did not. */
  readonly placesKept: number;
  readonly placesLost: number;
  /** Came into the account meanwhile, and is still there. */
  readonly remainingCount: number;
  /** Empty: everything has arrived as it was. */
  readonly differences: readonly string[];
}

export interface TransferFigures {
  readonly fileCount: number;
  readonly folderCount: number;
  readonly sizeBytes: number;
  readonly shareCount: number;
  readonly linkCount: number;
  readonly fingerprint: string;
}

/** Of the crossing, when somebody changes what is being moved. */
const ATTEMPTS_MAX = 5;
const OP = 'files/transfer';
const UNCUT = new AbortController().signal;

export class TransferService {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Changes nothing. @throws denied: not an administrator; not-found: no such account, space or
   *  folder; invalid; denied `other-tenant`: the two are not of one tenant; conflict
   *  `transfer-interrupted`: another order has to be ended first. */
  async plan(by: Caller, order: TransferOrder, signal = UNCUT): Promise<TransferPlan> {
    const { metadata, now } = this.#parts;
    const ground = await this.#ground(by, order);
    const { from, to, tops, gathering } = ground;
    const inventory = await takeInventory(metadata, { spaceId: from.id, tops, signal });
    const locks = await locksInTheWay(metadata, ground, now());
    const grants = await metadata.listGrants(from.id);
    const chain = await metadata.findChain(from.id, tops[0]?.id ?? from.rootId) ?? [];
    const aboveIds = new Set(chain.slice(0, -1).map(({ id }) => id));
    const { fileCount, folderCount, sizeBytes, shares } = inventory;
    return {
      tenant: from.tenant, from: order.from, to: to.owner ?? to.name,
      shares, fileCount, folderCount, sizeBytes,
      folderName: await freeNameIn(metadata, to, folderNameOf(order)),
      received: await this.#received(from),
      oldVersionCount: await countOldVersions(metadata, from.id, fileCount),
      ...await countTrash(metadata, from.id),
      isInterrupted: gathering !== undefined,
      notes: notesOn({
        inventory, locks: locks.filter(({ holder }) => holder === from.owner),
        above: grants.filter(({ nodeId }) => aboveIds.has(nodeId)),
      }),
      objections: await objectionsTo(metadata, ground, { inventory, locks, at: now() }),
    };
  }

  /** Resolves when everything has crossed, durably. When refused nothing has changed; after a crash
   *  see above. @throws as plan; conflict `transfer-refused`: the plan's objections; busy: what is
   *  moved is changed again and again; quota; locked. */
  async transfer(by: Caller, order: TransferOrder): Promise<TransferReport> {
    const plan = await this.plan(by, order);
    if (plan.objections.length > 0) {
      throw new HoldfastError('conflict', OP, plan.objections.join(' '), {
        code: 'transfer-refused',
      });
    }
    const ground = await this.#ground(by, order);
    const actor = (): Actor => actorOf(by, this.#parts.now());
    const gathering = await this.#gather(ground, order, actor);
    const crossing = await this.#cross(ground, gathering, { order, actor }).catch(
      async (error: unknown) => {
        await this.#scatter(ground, gathering, { order, actor });
        throw error;
      },
    );
    failpoint('files.transfer-crossed');
    return this.#report(plan, ground, { ...crossing, actor });
  }

  async #ground(by: Caller, order: TransferOrder): Promise<Ground> {
    if (!by.admin) throw refuse('denied', 'Only administrators hand over files.');
    const { metadata } = this.#parts;
    const [from, to] = await this.#spacesOf(order);
    const folder = order.folder.join('/');
    const gathering = await findGathering(metadata, from, folder);
    const gathered = gathering === undefined ? []
      : await this.#membersOf(gathering.spaceId, gathering.id);
    if (order.folder.length === 0) {
      const members = await this.#membersOf(from.id, from.rootId);
      const rest = members.filter(({ id }) => id !== gathering?.id);
      return { from, to, gathering, tops: [...gathered, ...rest] };
    }
    if (gathered.length > 0) return { from, to, gathering, tops: gathered };
    const chain = await metadata.resolve(from.id, order.folder);
    const node = chain[order.folder.length];
    if (node === undefined || node.kind === 'mount') {
      throw refuse('not-found', 'This account has no such folder of its own.');
    }
    return { from, to, gathering, tops: [node] };
  }

  async #spacesOf({ from, to }: TransferOrder): Promise<[SpaceRecord, SpaceRecord]> {
    const { metadata, spaces, accounts } = this.#parts;
    const giver = await accounts.find(from);
    if (giver === undefined) throw refuse('not-found', `There is no account ${from}.`);
    const { tenant } = giver;
    const own = await metadata.getSpace((await spaces.personalSpace({ user: from, tenant })).id);
    if ('team' in to) {
      const team = await metadata.getSpace(to.team);
      if (team.kind !== 'team') throw refuse('invalid', 'This is no space of a team.');
      if (team.tenant !== tenant) throw otherTenant();
      return [own, team];
    }
    if (to.user === from) throw refuse('invalid', 'Name two different accounts.');
    const account = await accounts.find(to.user);
    if (account === undefined) throw refuse('not-found', `There is no account ${to.user}.`);
    if (account.tenant !== tenant) throw otherTenant();
    if (account.disabled) {
      throw refuse('conflict', `The account ${to.user} is disabled. Enable it, or name another.`);
    }
    return [own, await metadata.getSpace((await spaces.personalSpace({ ...to, tenant })).id)];
  }

  /** Without mounts. */
  async #membersOf(spaceId: SpaceRecord['id'], folderId: NodeId): Promise<NodeRecord[]> {
    const pages = await Array.fromAsync(this.#parts.metadata.listFolder(spaceId, folderId));
    return pages.flat().filter(({ kind }) => kind !== 'mount');
  }

  async #received({ id: spaceId }: SpaceRecord): Promise<ReceivedLine[]> {
    const { metadata, spaces } = this.#parts;
    const lines: ReceivedLine[] = [];
    const { mounts } = await metadata.listMounts(spaceId);
    for (const { nodeId, target } of mounts) {
      const chain = await metadata.findChain(spaceId, nodeId) ?? [];
      const { owner, name } = await spaces.find(target.spaceId);
      const path = chain.slice(1).map((node) => node.name).join('/');
      lines.push({ path, owner: owner ?? name });
    }
    return lines;
  }

  async #gather(
    ground: Ground, order: TransferOrder, actor: () => Actor,
  ): Promise<NodeRecord> {
    const { metadata, now } = this.#parts;
    const { from, tops } = ground;
    for (const { token } of await locksInTheWay(metadata, ground, now())) {
      await metadata.commit({
        op: 'remove-lock', spaceId: from.id, token, breaks: true, actor: actor(),
      });
    }
    const gathering = ground.gathering ?? await makeGathering(metadata, from, {
      wanted: folderNameOf(order), folder: order.folder.join('/'), actor,
    });
    try {
      for (const { id, name, parentId } of tops) {
        if (parentId === gathering.id) continue;
        await this.#moveInside(from, { id, name: await this.#freeIn(gathering, name) }, {
          toParentId: gathering.id, actor,
        });
        failpoint('files.transfer-gathering');
      }
    } catch (error) {
      await this.#scatter(ground, gathering, { order, actor });
      throw error;
    }
    failpoint('files.transfer-gathered');
    return gathering;
  }

  /** What was gathered before a crash may have the name of what has come since. */
  async #freeIn(folder: NodeRecord, wanted: string): Promise<Name> {
    for (let number = 1; ; number += 1) {
      const name = parseName(number === 1 ? wanted : `${wanted} (${number})`);
      const chain = await this.#parts.metadata.resolve(folder.spaceId, [name], folder.id);
      if (chain.length < 2 || number > ATTEMPTS_MAX) return name;
    }
  }

  async #moveInside(
    { id: spaceId }: SpaceRecord, { id: nodeId, name }: { id: NodeId; name: Name },
    { toParentId, actor }: { toParentId: NodeId; actor: () => Actor },
  ): Promise<void> {
    await this.#parts.metadata.commit({
      op: 'move', spaceId, nodeId, toParentId, toName: name, replace: false, actor: actor(),
    });
  }

  /** Puts what was gathered back. What finds its place taken stays, with what holds it. */
  async #scatter(
    { from }: Ground, gathering: NodeRecord,
    { order, actor }: { order: TransferOrder; actor: () => Actor },
  ): Promise<void> {
    const { metadata } = this.#parts;
    const above = await metadata.resolve(from.id, order.folder.slice(0, -1));
    const parent = above[Math.max(0, order.folder.length - 1)];
    for (const { id, name } of await this.#membersOf(from.id, gathering.id)) {
      const toParentId = parent?.id ?? from.rootId;
      await this.#moveInside(from, { id, name: parseName(name) }, { toParentId, actor })
        .catch(passOver);
    }
    if ((await this.#membersOf(from.id, gathering.id)).length > 0) return;
    await metadata.commit({
      op: 'delete', spaceId: from.id, nodeId: gathering.id, actor: actor(),
    }).catch(passOver);
  }

  async #cross(
    { from, to }: Ground, gathering: NodeRecord,
    { order, actor }: { order: TransferOrder; actor: () => Actor },
  ): Promise<Crossing> {
    const { metadata } = this.#parts;
    const heir = { of: order.from, is: await this.#heirIn(to) };
    for (let attempt = 1; ; attempt += 1) {
      const seen = (await metadata.findChain(from.id, gathering.id))?.at(-1);
      if (seen === undefined) throw refuse('conflict', 'The files were deleted meanwhile.');
      const tops = await this.#membersOf(from.id, seen.id);
      const before = await takeInventory(metadata, { spaceId: from.id, tops, signal: UNCUT });
      const places = await findPlaces(metadata, before.grants, {
        from: from.id, to: to.id, near: from.tenant,
      });
      const toName = await freeNameIn(metadata, to, folderNameOf(order));
      try {
        const { node } = await metadata.commit({
          op: 'move', spaceId: from.id, nodeId: seen.id, toSpaceId: to.id, toParentId: to.rootId,
          toName, replace: false, withGrants: true, heir, actor: actor(),
          // What came in after it was counted would make the report wrong.
          expect: { nodeId: seen.id, mark: seen.mark },
        });
        if (node === undefined) throw refuse('internal', 'A folder was not answered.');
        return { node, before, places };
      } catch (error) {
        const mayPass = isKind(error, 'precondition') || isKind(error, 'busy');
        if (!mayPass || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Links of an account that is gone would be over: they become the receiver's, in a team's space
   *  those of its first owner. */
  async #heirIn({ id, rootId, owner, name }: SpaceRecord): Promise<UserId> {
    if (owner !== undefined) return owner;
    for (const { nodeId, role, subject } of await this.#parts.metadata.listGrants(id)) {
      if (nodeId !== rootId || role !== 'owner' || subject.kind !== 'user') continue;
      const user = parseUserId(subject.id);
      if ((await this.#parts.accounts.find(user))?.disabled === false) return user;
    }
    throw refuse('conflict', `The space ${name} has no owner who can take over the links.`);
  }

  async #report(
    plan: TransferPlan, { from, to }: Ground,
    { node, before, places, actor }: Crossing & { actor: () => Actor },
  ): Promise<TransferReport> {
    const { metadata } = this.#parts;
    await unmark(metadata, node, actor());
    const tops = await this.#membersOf(to.id, node.id);
    const after = await takeInventory(metadata, { spaceId: to.id, tops, signal: UNCUT });
    const kept = await this.#keepPlaces(places, { before, after, actor });
    const remaining = await this.#membersOf(from.id, from.rootId);
    return {
      plan, folderName: node.name, before: figuresOf(before), after: figuresOf(after),
      linksKept: await this.#countLinks(before, after),
      placesKept: kept, placesLost: places.length - kept, remainingCount: remaining.length,
      differences: differences(before, after),
    };
  }

  async #keepPlaces(
    places: readonly ReceivedPlace[],
    { before, after, actor }: { before: Inventory; after: Inventory; actor: () => Actor },
  ): Promise<number> {
    const nowAt = new Map<GrantId, GrantRecord>(after.grants.map((grant) => [grant.id, grant]));
    let kept = 0;
    for (const place of places) {
      const grant = before.grants.find(({ nodeId }) => nodeId === place.targetId);
      const target = grant && nowAt.get(grant.id);
      if (target === undefined) continue;
      if (await keepPlace(this.#parts.metadata, place, { target, actor })) kept += 1;
    }
    return kept;
  }

  async #countLinks(before: Inventory, after: Inventory): Promise<number> {
    const nowAt = new Map<GrantId, NodeId>(after.grants.map(({ id, nodeId }) => [id, nodeId]));
    let kept = 0;
    for (const { id, subject } of before.grants) {
      if (subject.kind !== 'link') continue;
      const found = await this.#parts.metadata.findLink(subject.tokenHash);
      if (found?.id === id && found.nodeId === nowAt.get(id)) kept += 1;
    }
    return kept;
  }
}

interface Crossing {
  /** The folder as it has arrived. */
  readonly node: NodeRecord;
  readonly before: Inventory;
  readonly places: readonly ReceivedPlace[];
}

function folderNameOf({ from }: TransferOrder): Name {
  return parseName(`Files of ${from}`);
}

function figuresOf({ fileCount, folderCount, sizeBytes, grants, fingerprint }: Inventory) {
  const linkCount = grants.filter(({ subject }) => subject.kind === 'link').length;
  return {
    fileCount, folderCount, sizeBytes, fingerprint, linkCount,
    shareCount: grants.length - linkCount,
  };
}

const PASSED_OVER = ['conflict', 'precondition', 'locked', 'not-found', 'invalid'] as const;

/** It stays where it is, and the same order can be given again. */
function passOver(error: unknown): void {
  if (!PASSED_OVER.some((kind) => isKind(error, kind))) throw error;
}

function otherTenant(): HoldfastError {
  const message = 'Files can only be handed over within one tenant.';
  return new HoldfastError('denied', OP, message, { code: 'other-tenant' });
}

function refuse(
  kind: 'denied' | 'not-found' | 'invalid' | 'conflict' | 'internal', message: string,
): HoldfastError {
  return new HoldfastError(kind, OP, message);
}
