/** For tests: somebody who follows a feed as seen-change.ts says, and knows nothing else. */
import type { Caller } from '../../identity/index.ts';
import type { Name } from '../../base/names.ts';
import type { ChangeFeed } from '../feed/change-feed.ts';
import type { SeenChange } from '../feed/seen-change.ts';
import type { FileService } from '../file-service.ts';
import { roleAt } from '../view/sight.ts';
import type { SeenNode } from '../view/sight.ts';

/** What a follower keeps of a node. */
export interface Known {
  parentKey: string | undefined;
  name: string;
  kind: string;
  role: string;
  /** Which content a file has. */
  mark: number;
}

function known(node: SeenNode, parentKey: string | undefined): Known {
  const { kind, name, mark } = node;
  return { parentKey, name, kind, role: roleAt(node), mark: kind === 'file' ? mark : 0 };
}

/** All below a folder, as its listings say. */
export async function listTree(
  files: FileService, caller: Caller, path: readonly Name[],
  folder: { key: string; prefix: string },
): Promise<Map<string, Known>> {
  const found = new Map<string, Known>();
  const { pages } = await files.list(caller, path);
  for (const entry of (await Array.fromAsync(pages)).flat()) {
    const isMount = entry.sight?.isMountRoot === true;
    const key = isMount ? String(entry.id) : `${folder.prefix}${entry.id}`;
    found.set(key, known(entry, folder.key));
    if (entry.kind !== 'folder') continue;
    const prefix = isMount ? `${entry.id}/` : folder.prefix;
    const below = await listTree(files, caller, [...path, entry.name as Name], { key, prefix });
    for (const [each, what] of below) found.set(each, what);
  }
  return found;
}

export class Follower {
  readonly nodes = new Map<string, Known>();
  readonly #feed: ChangeFeed;
  readonly #files: FileService;
  #cursor: string | undefined;
  /** What was met, for tests that must meet all. */
  readonly met = new Set<string>();

  constructor(feed: ChangeFeed, files: FileService) {
    this.#feed = feed;
    this.#files = files;
  }

  /** Takes one page; true when there are more. */
  async take(caller: Caller, limit: number): Promise<boolean> {
    const page = await this.#feed.changesSince(caller, this.#cursor, limit);
    this.met.add(this.#cursor === undefined ? 'first' : page.isReset ? 'reset' : 'page');
    this.#cursor = page.cursor;
    if (page.isReset) {
      await this.#listAnew(caller);
      return false;
    }
    for (const change of page.changes) await this.#apply(caller, change);
    if (page.isMore) this.met.add('more');
    return page.isMore;
  }

  async #listAnew(caller: Caller): Promise<void> {
    this.nodes.clear();
    const { node } = await this.#files.get(caller, []);
    const key = String(node.id);
    this.nodes.set(key, known(node, undefined));
    for (const each of await listTree(this.#files, caller, [], { key, prefix: '' })) {
      this.nodes.set(...each);
    }
  }

  async #apply(caller: Caller, change: SeenChange): Promise<void> {
    const { kind, key, node, parentKey, isWhole, path } = change;
    const was = this.nodes.get(key);
    if (node === undefined) {
      this.met.add(was === undefined ? 'removed, unknown' : 'removed');
      this.#forget(key);
      return;
    }
    const what = node.kind === 'folder' ? 'folder' : 'file';
    this.met.add(`${kind} ${what}${isWhole ? ' whole' : ''}`);
    const isNew = was === undefined && kind !== 'added';
    if (isNew && !isWhole && node.kind === 'folder') this.met.add('unknown folder');
    if (node.kind === 'folder' && (isWhole || isNew)) {
      this.#forget(key);
      await this.#listBelow(caller, { key, node, path: path ?? [] });
    }
    this.nodes.set(key, known(node, parentKey));
  }

  async #listBelow(
    caller: Caller, { key, node, path }: { key: string; node: SeenNode; path: readonly string[] },
  ): Promise<void> {
    const [mountId] = key.split('/');
    const isMounted = node.sight?.isShared === true;
    const prefix = isMounted ? `${mountId}/` : '';
    const below = await listTree(this.#files, caller, path as Name[], { key, prefix });
    for (const [each, what] of below) {
      this.#forget(each);
      this.nodes.set(each, what);
    }
  }

  #forget(key: string): void {
    this.nodes.delete(key);
    for (const [each, { parentKey }] of this.nodes) if (parentKey === key) this.#forget(each);
  }
}
