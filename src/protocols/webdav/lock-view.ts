/** Locks as XML, for the nodes of one answer (RFC 4918, sections 14.1 and 15.8). */
import type { Name } from '../../base/names.ts';
import { isLinkCaller } from '../../files/index.ts';
import type { FileService, Found } from '../../files/index.ts';
import type { Instant, LockRecord, NodeRecord } from '../../metadata/index.ts';
import { hrefOf } from './dav-request.ts';
import type { DavRequest } from './dav-request.ts';
import { encodeName } from '../paths.ts';

interface PlacedLock {
  lock: LockRecord;
  rootHref: string;
}

export class LockView {
  readonly #own: { node: NodeRecord; locks: readonly PlacedLock[] };
  /** Of members, by the id of the member. */
  readonly #ofMembers: ReadonlyMap<number, readonly LockRecord[]>;
  readonly #folderHref: string;
  readonly #at: Instant;
  readonly #isAnonymous: boolean;

  private constructor(parts: {
    own: { node: NodeRecord; locks: readonly PlacedLock[] };
    ofMembers: ReadonlyMap<number, readonly LockRecord[]>;
    folderHref: string;
    at: Instant;
    /** Whose locks they are is not told. */
    isAnonymous: boolean;
  }) {
    this.#isAnonymous = parts.isAnonymous;
    this.#own = parts.own;
    this.#ofMembers = parts.ofMembers;
    this.#folderHref = parts.folderHref;
    this.#at = parts.at;
  }

  /** The locks of the request's node and, if asked for, of its members. */
  static async open(
    files: FileService, request: DavRequest,
    { found, members, at }: {
      found: Found; at: Instant;
      /** `plain`: all of them live in the space of the node. */
      members: 'none' | 'plain' | 'mounted';
    },
  ): Promise<LockView> {
    const { caller, path, root } = request;
    const { node } = found;
    const { all, covering } = await files.locks.at(caller, found, {
      others: members === 'mounted',
    });
    const placed = await placeLocks(files, request, { node, locks: covering });
    const ofMembers = new Map<number, LockRecord[]>();
    if (members !== 'none') {
      for (const lock of all) {
        const others = ofMembers.get(lock.nodeId);
        if (others === undefined) ofMembers.set(lock.nodeId, [lock]);
        else others.push(lock);
      }
    }
    const folderHref = hrefOf(root, path, 'folder');
    const isAnonymous = isLinkCaller(caller);
    return new LockView({
      own: { node, locks: placed }, ofMembers, folderHref, at, isAnonymous,
    });
  }

  get isEmpty(): boolean {
    return this.#own.locks.length === 0 && this.#ofMembers.size === 0;
  }

  /** The content of `lockdiscovery`. */
  xmlOf(node: NodeRecord): string {
    const { node: own, locks } = this.#own;
    if (node.id === own.id) return locks.map((one) => this.#xml(one)).join('');
    const inherited = locks.filter(({ lock }) => lock.depth === 'infinity');
    const slash = node.kind === 'folder' ? '/' : '';
    const rootHref = `${this.#folderHref}${encodeName(node.name)}${slash}`;
    const direct = (this.#ofMembers.get(node.id) ?? []).map((lock) => ({ lock, rootHref }));
    return [...inherited, ...direct].map((one) => this.#xml(one)).join('');
  }

  /** The one that people are shown: the node's own rather than one of a folder above. */
  lockOf(node: NodeRecord): LockRecord | undefined {
    const { node: own, locks } = this.#own;
    const above = locks.filter(({ lock }) => node.id === own.id || lock.depth === 'infinity')
      .map(({ lock }) => lock);
    const direct = node.id === own.id ? above.filter(({ nodeId }) => nodeId === node.id)
      : this.#ofMembers.get(node.id);
    return direct?.[0] ?? above[0];
  }

  #xml({ lock, rootHref }: PlacedLock): string {
    return activeLockXml(lock, rootHref, { at: this.#at, isAnonymous: this.#isAnonymous });
  }
}

/** Where each lock that covers a node was set: on the node itself, or on a folder above it. */
async function placeLocks(
  files: FileService, { caller, path, root }: DavRequest,
  { node, locks }: { node: NodeRecord; locks: readonly LockRecord[] },
): Promise<PlacedLock[]> {
  const hrefs = new Map<number, string>([[node.id, hrefOf(root, path, node.kind)]]);
  const isInherited = locks.some((lock) => lock.nodeId !== node.id);
  for (let depth = 0; isInherited && depth < path.length; depth += 1) {
    const above: readonly Name[] = path.slice(0, depth);
    const found = await files.find(caller, above);
    if (found !== undefined) hrefs.set(found.node.id, hrefOf(root, above, 'folder'));
  }
  return locks.map((lock) => ({ lock, rootHref: hrefs.get(lock.nodeId) ?? root.prefix }));
}

/** The owner and the token are optional (RFC 4918, section 14.1). */
function activeLockXml(
  lock: LockRecord, rootHref: string, { at, isAnonymous }: { at: Instant; isAnonymous: boolean },
): string {
  const seconds = Math.max(0, Math.ceil((lock.expiresAt - at) / 1000));
  const owner = lock.ownerXml === '' || isAnonymous ? '' : `<d:owner>${lock.ownerXml}</d:owner>`;
  const token = isAnonymous ? ''
    : `<d:locktoken><d:href>${lock.token}</d:href></d:locktoken>`;
  return '<d:activelock><d:locktype><d:write/></d:locktype>'
    + `<d:lockscope><d:${lock.scope}/></d:lockscope><d:depth>${lock.depth}</d:depth>${owner}`
    + `<d:timeout>Second-${seconds}</d:timeout>${token}`
    + `<d:lockroot><d:href>${rootHref}</d:href></d:lockroot></d:activelock>`;
}
