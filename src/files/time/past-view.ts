/**
 * The tree of one caller as of a moment: the caller's personal space as it was, with what was
 * mounted in it as that was at the same instant.
 *
 * What may be seen is decided twice, by the grants of then and by those of now, and the stricter
 * answer counts: nobody sees by looking back what was hidden then, or has been taken away since.
 * Whoever owns a space sees all of its past. Nothing of the past can be changed.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type {
  Instant, MetadataStore, NodeRecord, PastNode, SpaceRecord,
} from '../../metadata/index.ts';
import { accessOfRole, isVisible } from '../access.ts';
import type { Access } from '../access.ts';
import type { SeenNode, Sight } from '../view/sight.ts';
import { ThenAndNow } from './then-and-now.ts';
import type { ThenParts } from './then-and-now.ts';

/** What is not kept of a folder's past: clients take it for "unknown". */
export const SIZE_UNKNOWN = -1;
/** Spaces of others whose grants one view remembers. */
const GROUNDS_MAX = 100;

export interface PastFound {
  node: SeenNode;
  /** As it was; `node` is the same in the form of the present. */
  past: PastNode;
}

export class PastView {
  readonly caller: Caller;
  /** The instant that is shown. */
  readonly at: Instant;
  readonly #parts: ThenParts;
  readonly #metadata: MetadataStore;
  readonly #own: ThenAndNow;
  readonly #grounds = new Map<SpaceId, Promise<ThenAndNow>>();

  private constructor(
    parts: ThenParts, caller: Caller, own: ThenAndNow, at: Instant,
  ) {
    this.#parts = parts;
    this.#metadata = parts.metadata;
    this.caller = caller;
    this.#own = own;
    this.at = at;
  }

  /** `own` is the caller's personal space. @throws as MetadataStore.past. */
  static async open(
    parts: ThenParts, caller: Caller,
    { own, rev, at }: { own: SpaceRecord; rev: number; at: Instant | undefined },
  ): Promise<PastView> {
    const ground = await ThenAndNow.open(parts, caller, { space: own, rev, at: at ?? 0 });
    return new PastView(parts, caller, ground, at ?? ground.past.at);
  }

  /** Of the caller's own space. */
  get rev(): number {
    return this.#own.past.rev;
  }

  async find(path: readonly Name[]): Promise<PastFound | undefined> {
    const chain = await this.#own.past.resolve(path);
    const last = chain.at(-1);
    if (last?.kind === 'mount') return this.#findMounted(last, path.slice(chain.length - 1));
    if (last === undefined || chain.length <= path.length) return undefined;
    return this.#found(this.#own, last, 'owner');
  }

  /** @throws not-found. */
  async get(path: readonly Name[]): Promise<PastFound> {
    const found = await this.find(path);
    if (found !== undefined) return found;
    const message = 'There was no file or folder at this path at that moment.';
    throw new HoldfastError('not-found', 'files/PastView.get', message);
  }

  async #findMounted(
    mount: PastNode, rest: readonly Name[],
  ): Promise<PastFound | undefined> {
    const entered = await this.#enter(mount);
    if (entered === undefined) return undefined;
    const { ground, target } = entered;
    if (rest.length === 0) {
      const found = await this.#seen(ground, target);
      return found && renamed(found, mount.name);
    }
    const below = await ground.past.resolve(rest, target.id);
    const last = below[rest.length];
    if (last === undefined || last.kind === 'mount') return undefined;
    return this.#seen(ground, last);
  }

  async #enter(mount: PastNode): Promise<{ ground: ThenAndNow; target: PastNode } | undefined> {
    if (mount.target === undefined) return undefined;
    const { spaceId, nodeId } = mount.target;
    const ground = await this.#groundOf(spaceId);
    const target = (await ground.past.findChain(nodeId))?.at(-1);
    return target && { ground, target };
  }

  #groundOf(spaceId: SpaceId): Promise<ThenAndNow> {
    const known = this.#grounds.get(spaceId);
    if (known !== undefined) return known;
    if (this.#grounds.size >= GROUNDS_MAX) this.#grounds.clear();
    const made = this.#makeGround(spaceId);
    this.#grounds.set(spaceId, made);
    return made;
  }

  async #makeGround(spaceId: SpaceId): Promise<ThenAndNow> {
    const space = await this.#metadata.getSpace(spaceId);
    const rev = await this.#metadata.revisionAt(spaceId, this.at);
    return ThenAndNow.open(this.#parts, this.caller, { space, rev, at: this.at });
  }

  /** undefined: the caller may not know of it. */
  async #seen(ground: ThenAndNow, node: PastNode): Promise<PastFound | undefined> {
    const role = await ground.roleAt(node.id);
    return isVisible(role) ? this.#found(ground, node, role) : undefined;
  }

  #found(ground: ThenAndNow, past: PastNode, role: Role): PastFound {
    const isShared = ground !== this.#own;
    const sight: Sight = {
      role, access: readOnly(accessOfRole(role)), isShared, isMountRoot: false, mark: '',
      owner: ground.space.owner,
    };
    return { past, node: { ...this.#present(ground, past), sight } };
  }

  /** What is not kept of a folder is told so that it stays the same each time it is asked for. */
  #present(ground: ThenAndNow, past: PastNode): NodeRecord {
    const isFolder = past.kind === 'folder';
    return {
      ...past, sizeBytes: past.sizeBytes ?? SIZE_UNKNOWN,
      modifiedAt: past.modifiedAt ?? ground.past.at,
      mark: isFolder ? ground.past.rev : past.mark,
    };
  }

  /** Whether nothing at or below it was hidden from the caller at the moment. */
  async sawAllBelow({ past: { spaceId, id } }: PastFound): Promise<boolean> {
    const ground = spaceId === this.#own.space.id ? this.#own : await this.#groundOf(spaceId);
    return ground.sawAllBelow(id);
  }

  /** The members of a folder, in pages. @throws conflict `not-folder`. */
  list(folder: PastFound, signal?: AbortSignal): AsyncIterable<readonly SeenNode[]> {
    if (folder.past.kind !== 'folder') {
      const message = 'This was a file, not a folder.';
      throw new HoldfastError('conflict', 'files/PastView.list', message, { code: 'not-folder' });
    }
    return this.#pages(folder.past, signal);
  }

  async* #pages(
    folder: PastNode, signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly SeenNode[]> {
    const isOwn = folder.spaceId === this.#own.space.id;
    const ground = isOwn ? this.#own : await this.#groundOf(folder.spaceId);
    for await (const page of ground.past.listFolder(folder.id, signal && { signal })) {
      const seen: SeenNode[] = [];
      for (const past of page) {
        const found = past.kind === 'mount' ? isOwn ? await this.#findMounted(past, []) : undefined
          : await this.#seen(ground, past);
        if (found !== undefined) seen.push(found.node);
      }
      yield seen;
    }
  }
}

function renamed(found: PastFound, name: string): PastFound {
  const { node, past } = found;
  const sight = node.sight && { ...node.sight, isMountRoot: true };
  return { past, node: { ...node, name, ...(sight !== undefined && { sight }) } };
}

function readOnly({ read, download }: Access): Access {
  return {
    read, download, update: false, create: false, delete: false, move: false, share: false,
  };
}
