/** Finding files and folders by their names. */
import { HoldfastError } from '../../base/errors.ts';
import type { Name } from '../../base/names.ts';
import { LOOKED_MAX, NameSearch } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { SEARCH_LIMIT_DEFAULT, SearchQuery, SearchShape } from '../../wire/search.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { NodeView, pathOfText, placeOf, textOfPath } from './node-view.ts';
import { TAG } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const WORDS_MAX = 10;
const CURSOR_CHARACTERS_MAX = 4096;

export function searchResource(api: RestApi, parts: RestParts): void {
  const search = new NameSearch(parts);
  api.operation({
    id: 'search', tag: TAG, method: 'GET', path: '/search', scope: 'files:read',
    summary: 'Files and folders by words in their names',
    description: `An answer comes after ${LOOKED_MAX} entries at the latest, with nextCursor to go `
      + 'on. What others share is searched too; what is moved meanwhile may be missed.',
    query: SearchQuery, refusals: [409, 413],
    success: { status: 200, description: 'What was found so far.', schema: SearchShape },
    async answer({ caller, query: { query, folderId, cursor, limit }, exchange }) {
      const folder = await folderOf(parts, caller, folderId);
      const list = `search ${folderId ?? ''} ${query}`;
      const { found, lookedCount, stoppedAt } = await search.search(caller, folder, {
        words: wordsOf(query), limit: limit ?? SEARCH_LIMIT_DEFAULT, signal: exchange.signal,
        ...(cursor !== undefined && { after: pathOfText(readCursor(list, cursor, ['string'])[0]) }),
      });
      const view = new NodeView(parts, caller);
      const items = [];
      for (const one of found) items.push(await view.one(one));
      return {
        body: {
          items, lookedCount,
          ...(stoppedAt !== undefined && { nextCursor: cursorAt(list, stoppedAt) }),
        },
      };
    },
  });
}

async function folderOf(
  parts: RestParts, caller: Caller, id: string | undefined,
): Promise<readonly Name[]> {
  return id === undefined ? [] : (await placeOf(parts, caller, id)).path as Name[];
}

/** @throws invalid `no-words`: there are none, or too many. */
function wordsOf(query: string): string[] {
  const words = query.split(/\s+/).filter((word) => word !== '');
  if (words.length > 0 && words.length <= WORDS_MAX) return words;
  const message = `Search for one to ${WORDS_MAX} words.`;
  throw new HoldfastError('invalid', 'rest/search', message, { code: 'no-words' });
}

/** @throws too-large `search-too-deep`: no cursor can say where it stopped. */
function cursorAt(list: string, path: readonly string[]): string {
  const cursor = makeCursor(list, textOfPath(path));
  if (cursor.length <= CURSOR_CHARACTERS_MAX) return cursor;
  const message = 'Folders lie too deep in one another here to go on. Search in one of them.';
  throw new HoldfastError('too-large', 'rest/search', message, { code: 'search-too-deep' });
}
