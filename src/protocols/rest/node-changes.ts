/** What can be done with files and folders, in the words of the API: by single requests and by
 *  batches. */
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Deal, SeenNode, Trashed } from '../../files/index.ts';
import type { Node } from '../../wire/node.ts';
import { changeNode, dealOfRequest } from './node-deals.ts';
import type { NodeRequest } from './node-deals.ts';
import { nameTaken, underFreeName } from './free-names.ts';
import type { OnConflict } from './free-names.ts';
import { FAVORITE, NodeView, placeOf } from './node-view.ts';
import type { Placed } from './node-view.ts';
import type { RestParts } from './rest-parts.ts';
import { trashIdOf } from './trash-id.ts';

export type ChangeParts = Pick<RestParts, 'files' | 'identity' | 'trash'>;

export interface WantedChange {
  name?: string;
  parentId?: string;
  modifiedAt?: string;
  isFavorite?: boolean;
  onConflict?: OnConflict;
}

/** Newest entries among which a deletion is looked for. */
const TRASH_LOOKED_AT = 50;

export class NodeChanges {
  readonly #parts: ChangeParts;

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  async makeFolder(
    request: NodeRequest, parentId: string,
    { name, onConflict = 'fail' }: { name: string; onConflict?: OnConflict },
  ): Promise<Node> {
    const { files } = this.#parts;
    const { caller } = request;
    const parent = await placeOf(this.#parts, caller, parentId);
    checkFolder(parent.node);
    const deal = { ...dealOfRequest(request), intoFolder: parent.node.id };
    const made = await underFreeName(parseName(name), onConflict, async (free) => {
      const path = [...parent.path, free];
      return { path, node: (await files.makeFolder(caller, path, deal)).node };
    });
    return this.#shown(request, made);
  }

  async change(request: NodeRequest, id: string, wanted: WantedChange): Promise<Node> {
    const { name, parentId, modifiedAt, isFavorite, onConflict = 'fail' } = wanted;
    const at = modifiedAt === undefined ? undefined : timeOf(modifiedAt);
    if (name !== undefined || parentId !== undefined) {
      await changeNode(this.#parts, request, {
        id,
        act: (place, deal) => this.#move(request, place, { name, parentId, onConflict, deal }),
      });
    }
    if (at !== undefined || isFavorite !== undefined) {
      await changeNode(this.#parts, request, {
        id, isLater: name !== undefined || parentId !== undefined,
        act: (place, deal) => this.#mark(request, place, { at, isFavorite, deal }),
      });
    }
    return this.#shown(request, await placeOf(this.#parts, request.caller, id));
  }

  async copy(
    request: NodeRequest, id: string,
    { parentId, name, onConflict = 'fail' }: {
      parentId: string; name?: string; onConflict?: OnConflict;
    },
  ): Promise<Node> {
    const { files } = this.#parts;
    const { caller } = request;
    const made = await changeNode(this.#parts, request, {
      id,
      act: async (place, deal) => {
        const parent = await placeOf(this.#parts, caller, parentId);
        checkFolder(parent.node);
        const wanted = name === undefined ? rootless(place) : parseName(name);
        return underFreeName(wanted, onConflict, async (free) => {
          const path = [...parent.path, free];
          await this.#checkFree(request, path);
          const { node } = await files.copy(caller, place.path, path, {
            ...deal, intoFolder: parent.node.id, replace: false, depth: 'infinity',
          });
          return { path, node };
        });
      },
    });
    return this.#shown(request, made);
  }

  /** Answers where it lies in the trash; undefined: nowhere, or not to be told which it is. */
  async remove(request: NodeRequest, id: string): Promise<string | undefined> {
    const { files } = this.#parts;
    const { caller } = request;
    const { node } = await changeNode(this.#parts, request, {
      id,
      act: async (place, deal) => {
        await files.remove(caller, place.path, deal);
        return place;
      },
    });
    if (node.sight?.isMountRoot === true) return undefined;
    const entry = await this.#trashedAs(request, node);
    return entry && trashIdOf(entry);
  }

  async #trashedAs(
    { caller }: NodeRequest, { id, spaceId }: SeenNode,
  ): Promise<Trashed | undefined> {
    const page = await this.#parts.trash.list(caller, { spaceId, limit: TRASH_LOOKED_AT });
    return page.entries.find(({ nodeId }) => nodeId === id);
  }

  async #move(
    request: NodeRequest, place: Placed,
    { name, parentId, onConflict, deal }: {
      name: string | undefined; parentId: string | undefined; onConflict: OnConflict; deal: Deal;
    },
  ): Promise<void> {
    const { files } = this.#parts;
    const { caller } = request;
    const own = rootless(place);
    const parent = parentId === undefined ? undefined
      : await placeOf(this.#parts, caller, parentId);
    if (parent !== undefined) checkFolder(parent.node);
    const folder = parent?.path ?? place.path.slice(0, -1);
    const wanted = name === undefined ? own : parseName(name);
    await underFreeName(wanted, onConflict, async (free) => {
      const path = [...folder, free];
      if (isSame(path, place.path)) return;
      await this.#checkFree(request, path, place.node);
      await files.move(caller, place.path, path, {
        ...deal, intoFolder: parent?.node.id, replace: false,
      });
    });
  }

  async #mark(
    { caller }: NodeRequest, { path }: Placed,
    { at, isFavorite, deal }: {
      at: number | undefined; isFavorite: boolean | undefined; deal: Deal;
    },
  ): Promise<void> {
    const { files } = this.#parts;
    if (isFavorite !== undefined) {
      const set = isFavorite ? [{ ...FAVORITE, xml: '1' }] : [];
      const remove = isFavorite ? [] : [FAVORITE];
      await files.setProperties(caller, path, { set, remove }, deal);
    }
    if (at !== undefined) await files.setTimes(caller, path, { ...deal, modifiedAt: at });
  }

  /** @throws exists: something else is there. */
  async #checkFree(
    { caller }: NodeRequest, path: readonly Name[], besides?: SeenNode,
  ): Promise<void> {
    const found = await this.#parts.files.find(caller, path);
    if (found !== undefined && found.node.id !== besides?.id) throw nameTaken();
  }

  #shown({ caller }: NodeRequest, place: Placed): Promise<Node> {
    return new NodeView(this.#parts, caller).one(place);
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

/** The own name of what is no root. @throws denied. */
function rootless({ path }: Placed): Name {
  const name = path.at(-1);
  if (name !== undefined) return name;
  const message = 'The root of your files stays where it is.';
  throw new HoldfastError('denied', 'rest/NodeChanges', message, { code: 'root' });
}

export function checkFolder({ kind }: SeenNode): void {
  if (kind === 'folder') return;
  const message = 'This is a file, not a folder: nothing can be put into it.';
  throw new HoldfastError('conflict', 'rest/checkFolder', message, { code: 'not-folder' });
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** @throws invalid. */
export function timeOf(text: string): number {
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  const message = 'A time is given as ISO 8601, such as 2026-11-21T12:00:00.000Z.';
  throw new HoldfastError('invalid', 'rest/timeOf', message, { code: 'time-syntax' });
}
