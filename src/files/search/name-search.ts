/**
 * Finds files and folders by words in their names, by looking through a folder of the caller's view
 * in its own order. Nothing is kept in advance, so the cost is that of what is looked at; each call
 * looks at a bounded number of entries and says where the next one goes on.
 */
import { isKind } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Caller } from '../../identity/index.ts';
import { accessAt } from '../view/sight.ts';
import type { SeenEntry } from '../view/views.ts';
import type { FileService } from '../file-service.ts';

/** Entries of one call. */
export const LOOKED_MAX = 20_000;
/** Of one folder, held while what is below them is looked through. */
const GATHERED_MAX = 1_000;

export interface SearchRequest {
  /** All of them have to be in the name, however they are written: large, small, composed. */
  readonly words: readonly string[];
  readonly limit: number;
  /** Where the call before has stopped: a path below the folder. */
  readonly after?: readonly Name[];
  readonly lookedMax?: number;
  readonly signal?: AbortSignal;
}

export interface Found {
  readonly path: readonly Name[];
  readonly node: SeenEntry;
}

export interface SearchFindings {
  readonly found: readonly Found[];
  readonly lookedCount: number;
  /** Where the next call goes on; undefined: that was all. */
  readonly stoppedAt: readonly Name[] | undefined;
}

interface Work {
  readonly caller: Caller;
  readonly top: readonly Name[];
  readonly signal: AbortSignal | undefined;
}

export class NameSearch {
  readonly #files: Pick<FileService, 'list'>;

  constructor(parts: { files: Pick<FileService, 'list'> }) {
    this.#files = parts.files;
  }

  /** In the folder and all below it, each folder by name, what is in a folder behind the folder
   *  itself. What is moved or renamed meanwhile may be missed or found twice. What was taken away
   *  meanwhile is passed over, what the caller may not list is not looked into.
   *  @throws not-found, denied, conflict `not-folder`: of the folder itself. */
  async search(
    caller: Caller, folder: readonly Name[], request: SearchRequest,
  ): Promise<SearchFindings> {
    const { limit, after = [], lookedMax = LOOKED_MAX, signal } = request;
    const words = request.words.map(folded);
    const found: Found[] = [];
    let lookedCount = 0;
    const work = { caller, top: folder, signal };
    for await (const entry of this.#below(work, [], after)) {
      lookedCount += 1;
      const name = folded(entry.node.name);
      if (words.every((word) => name.includes(word))) found.push(entry);
      if (found.length >= limit || lookedCount >= lookedMax) {
        return { found, lookedCount, stoppedAt: entry.path.slice(folder.length) };
      }
    }
    return { found, lookedCount, stoppedAt: undefined };
  }

  /** `behind`: the last one that was looked at, as a path below `under`. */
  async* #below(
    work: Work, under: readonly Name[], behind: readonly Name[],
  ): AsyncGenerator<Found> {
    const [first, ...deeper] = behind;
    if (first !== undefined) yield* this.#below(work, [...under, first], deeper);
    let afterName: string | undefined = first;
    for (;;) {
      const { entries, isEnd } = await this.#gather(work, under, afterName);
      for (const node of entries) {
        const name = parseName(node.name);
        yield { path: [...work.top, ...under, name], node };
        if (node.kind === 'folder' && accessAt(node).read) {
          yield* this.#below(work, [...under, name], []);
        }
      }
      if (isEnd) return;
      afterName = entries.at(-1)?.name;
    }
  }

  /** Some of a folder's entries, at once: an open listing holds a connection. */
  async #gather(
    { caller, top, signal }: Work, under: readonly Name[], afterName: string | undefined,
  ): Promise<{ entries: SeenEntry[]; isEnd: boolean }> {
    const entries: SeenEntry[] = [];
    try {
      const { pages } = await this.#files.list(caller, [...top, ...under], {
        withProperties: true,
        ...(afterName !== undefined && { afterName }), ...(signal && { signal }),
      });
      for await (const page of pages) {
        entries.push(...page);
        if (entries.length >= GATHERED_MAX) return { entries, isEnd: false };
      }
    } catch (error) {
      const isGone = isKind(error, 'not-found') || isKind(error, 'conflict')
        || isKind(error, 'denied');
      if (under.length === 0 || !isGone) throw error;
    }
    return { entries, isEnd: true };
  }
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
