/**
 * Listing from behind a name, on a service that can only go on from a page it has just given.
 *
 * The place of every page that was given is kept for a while, so that going on costs one request.
 * A listing that begins somewhere else first tries the first page: a small store is in it. In a big
 * one the names behind are asked for by what they begin with: behind `3fa9` come the names with
 * `3faa`, `3fab`, … `3fb`, … `4`, …: about sixty prefixes, however big the store.
 */
import type { ListedObject, ListPage } from '../s3/s3-answers.ts';
import type { Call } from '../s3/s3-client.ts';
import type { BlobPage } from './azure-answers.ts';

export interface PageRequest {
  readonly prefix: string;
  readonly marker: string | undefined;
}
export type FetchPage = (request: PageRequest, call: Call) => Promise<BlobPage>;

interface Cursor {
  /** Prefixes that are still to be listed, ascending, each behind the other. */
  readonly prefixes: readonly string[];
  /** Where to go on in the first of them. */
  readonly marker: string | undefined;
}

/** One answer is put together from several pages, until it has so many blobs. */
const BLOBS_ENOUGH = 1000;
const CURSORS_MAX = 64;
/** More pages than this with nothing in them are no listing. */
const EMPTY_PAGES_MAX = 256;
const DIGITS = '0123456789abcdef';
const JUMP_DIGITS = 4;

export class AzureListing {
  readonly #fetch: FetchPage;
  /** By prefix and last name given. */
  readonly #cursors = new Map<string, Cursor>();

  constructor(fetch: FetchPage) {
    this.#fetch = fetch;
  }

  /** Blobs of `prefix` in ascending order, behind `after`. Undefined: the pages make no sense. */
  async list(prefix: string, after: string | undefined, call: Call): Promise<ListPage | undefined> {
    const known = after === undefined ? undefined : this.#cursors.get(`${prefix} ${after}`);
    let cursor = known ?? { prefixes: [prefix], marker: undefined };
    let mayJump = after !== undefined && known === undefined;
    const objects: ListedObject[] = [];
    for (let emptyCount = 0; objects.length < BLOBS_ENOUGH;) {
      const [first] = cursor.prefixes;
      if (first === undefined) return { objects, truncated: false };
      const request = { prefix: first, marker: cursor.marker };
      const { blobs, nextMarker } = await this.#fetch(request, call);
      const behind = blobs.filter(({ key }) => after === undefined || key > after);
      if (mayJump && after !== undefined && nextMarker !== undefined && behind.length === 0) {
        mayJump = false;
        cursor = jumpTo(prefix, after) ?? goOn(cursor, nextMarker);
        continue;
      }
      mayJump = false;
      const [next] = behind;
      const last = objects.at(-1);
      if (next !== undefined && last !== undefined && next.key <= last.key) return undefined;
      objects.push(...behind);
      cursor = goOn(cursor, nextMarker);
      emptyCount = behind.length === 0 ? emptyCount + 1 : 0;
      if (emptyCount > EMPTY_PAGES_MAX) return undefined;
    }
    const last = objects.at(-1);
    if (last !== undefined) this.#remember(`${prefix} ${last.key}`, cursor);
    return { objects, truncated: cursor.prefixes.length > 0 };
  }

  #remember(name: string, cursor: Cursor): void {
    this.#cursors.delete(name);
    this.#cursors.set(name, cursor);
    if (this.#cursors.size <= CURSORS_MAX) return;
    for (const oldest of this.#cursors.keys()) {
      this.#cursors.delete(oldest);
      return;
    }
  }
}

function goOn({ prefixes }: Cursor, marker: string | undefined): Cursor {
  return marker === undefined ? { prefixes: prefixes.slice(1), marker } : { prefixes, marker };
}

/** Undefined when the name is not one of ours, of which it is known how they can go on. */
function jumpTo(prefix: string, after: string): Cursor | undefined {
  const digits = after.slice(prefix.length, prefix.length + JUMP_DIGITS);
  if (digits.length < JUMP_DIGITS || [...digits].some((digit) => !DIGITS.includes(digit))) {
    return undefined;
  }
  const prefixes = [prefix + digits];
  for (let at = JUMP_DIGITS - 1; at >= 0; at -= 1) {
    const later = DIGITS.slice(DIGITS.indexOf(digits.charAt(at)) + 1);
    for (const digit of later) prefixes.push(prefix + digits.slice(0, at) + digit);
  }
  return { prefixes, marker: undefined };
}
