/**
 * How many files somebody sees. A small tree is counted while the answer waits; a large one beside
 * it, now and then, and until then the figure of before is given with its age. So an answer costs a
 * few listings at most, however much somebody has.
 */
import { isKind } from '../../base/errors.ts';
import { etagOf } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { RestParts } from './rest-parts.ts';

interface Limits {
  readonly folders: number;
  readonly entries: number;
}

/** What is looked at while somebody waits… */
export const AT_ONCE: Limits = { folders: 50, entries: 5_000 };
/** …and beside the answers. */
const BESIDE: Limits = { folders: 100_000, entries: 2_000_000 };
/** A large tree is not counted again sooner than this. */
export const COUNT_AGAIN_MS = 10 * 60_000;
/** Callers whose figures are remembered. */
const REMEMBERED_MAX = 1_000;

export interface FileCount {
  /** undefined: too many to be counted. */
  readonly files: number | undefined;
  readonly countedAt: number;
}

interface Known extends FileCount {
  readonly etag: string;
  readonly isLarge: boolean;
}

type Path = Parameters<RestParts['files']['list']>[1];

export class FileCounter {
  readonly #parts: Pick<RestParts, 'files' | 'now'>;
  readonly #known = new Map<string, Known>();
  /** One at a time. */
  #underWay: Promise<void> | undefined;
  /** Of a count that nobody waited for: the next who asks hears of it. */
  #failure: { readonly user: string; readonly error: unknown } | undefined;

  constructor(parts: Pick<RestParts, 'files' | 'now'>) {
    this.#parts = parts;
  }

  /** undefined: not counted yet; ask again later. @throws what a count meets, also that one beside
   *  the answers which failed since. */
  async of(caller: Caller): Promise<FileCount | undefined> {
    const failure = this.#failure;
    if (failure?.user === caller.user) {
      this.#failure = undefined;
      throw failure.error;
    }
    const { node } = await this.#parts.files.get(caller, []);
    const etag = etagOf(node);
    const known = this.#known.get(caller.user);
    const now = this.#parts.now();
    if (known?.etag === etag) return { files: known.files, countedAt: now };
    if (known?.isLarge === true) {
      if (now - known.countedAt >= COUNT_AGAIN_MS) this.#countBeside(caller, etag);
      return known;
    }
    const files = await this.#count(caller, AT_ONCE);
    if (files === undefined) {
      this.#countBeside(caller, etag);
      return known;
    }
    return this.#remember(caller, { etag, files, isLarge: false, countedAt: now });
  }

  /** Resolves when nothing is counted beside the answers any more. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  #countBeside(caller: Caller, etag: string): void {
    if (this.#underWay !== undefined) return;
    const countedAt = this.#parts.now();
    this.#underWay = this.#count(caller, BESIDE).then((files) => {
      this.#remember(caller, { etag, files, isLarge: true, countedAt });
    }).catch((error: unknown) => {
      // A folder that was taken away meanwhile is no failure: the next who asks begins anew.
      if (!isKind(error, 'not-found')) this.#failure = { user: caller.user, error };
    }).finally(() => {
      this.#underWay = undefined;
    });
  }

  /** undefined: the limits were reached before the end. */
  async #count(caller: Caller, limits: Limits): Promise<number | undefined> {
    const { files } = this.#parts;
    const waiting: Path[] = [[]];
    let [count, entries] = [0, 0];
    for (let folders = 0; folders < limits.folders; folders += 1) {
      const path = waiting.pop();
      if (path === undefined) return count;
      if (await files.find(caller, path) === undefined) continue;
      const { pages } = await files.list(caller, path);
      for await (const page of pages) {
        for (const { kind, name } of page) {
          if (kind === 'file') count += 1;
          else waiting.push([...path, name as Path[number]]);
        }
        entries += page.length;
        if (entries > limits.entries) return undefined;
      }
    }
    return waiting.length === 0 ? count : undefined;
  }

  #remember({ user }: Caller, known: Known): Known {
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.set(user, known);
    return known;
  }
}
