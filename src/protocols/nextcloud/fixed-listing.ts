/** Answers to PROPFIND for entries that are no files: of the trash, and versions. */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import { readBounded } from '../request-body.ts';
import { depthOf } from '../webdav/depth.ts';
import { MULTISTATUS_CLOSE, MULTISTATUS_OPEN, tagsOf } from '../webdav/multistatus.ts';
import { Outlet } from '../webdav/outlet.ts';
import { keyOf, parsePropfind } from '../webdav/propfind-request.ts';
import type { PropertyName, PropfindRequest } from '../webdav/propfind-request.ts';
import { XML_BYTES_MAX } from '../webdav/propfind.ts';

/** One property of an entry; `value` answers XML, or undefined where the entry has none. */
export interface FixedProperty<T> extends PropertyName {
  value: (entry: T) => string | undefined;
}

export interface AskedListing {
  asked: PropfindRequest;
  withMembers: boolean;
}

/** @throws invalid; denied: a depth of infinity. */
export async function readPropfind({ req }: Exchange): Promise<AskedListing> {
  const depth = depthOf(req.headers);
  if (depth === 'infinity') {
    const message = 'Folders are listed one by one: ask with a depth of 0 or 1.';
    throw new HoldfastError('denied', 'nextcloud/listing', message, { code: 'propfind-depth' });
  }
  const asked = parsePropfind(await readBounded(req, XML_BYTES_MAX));
  return { asked, withMembers: depth === '1' };
}

/** Makes `response` elements; which properties are wanted is decided once for all entries. */
export function rendererOf<T>(
  asked: PropfindRequest, table: readonly FixedProperty<T>[],
): (href: string, entry: T) => string {
  const byKey = new Map(table.map((each) => [keyOf(each.namespace, each.local), each]));
  const names: readonly PropertyName[] = asked.kind === 'prop' ? asked.names : table;
  const slots = names.map((name) => ({
    tags: tagsOf(name), value: byKey.get(keyOf(name.namespace, name.local))?.value,
  }));
  const onlyNames = asked.kind === 'propname';
  const isStrict = asked.kind === 'prop';
  return (href, entry) => {
    let found = '';
    let missing = '';
    for (const { tags, value } of slots) {
      const xml = value?.(entry);
      if (xml === undefined) missing += tags.empty;
      else found += onlyNames || xml === '' ? tags.empty : tags.open + xml + tags.close;
    }
    const rest = missing === '' || !isStrict ? '' : `<d:propstat><d:prop>${missing}</d:prop>`
      + '<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>';
    return `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${found}</d:prop>`
      + `<d:status>HTTP/1.1 200 OK</d:status></d:propstat>${rest}</d:response>`;
  };
}

/** Page by page, no faster than the client takes them. An error before the first page is answered
 *  as one; afterwards it cuts the connection, so that nobody takes a part for the whole. */
export async function sendListing(
  { res }: Exchange, first: string, pages?: AsyncGenerator<string>,
): Promise<void> {
  const opening = await pages?.next();
  res.writeHead(207, ['Content-Type', 'application/xml; charset=utf-8']);
  const outlet = new Outlet(res);
  let waiting = MULTISTATUS_OPEN + first + (opening?.done === false ? opening.value : '');
  for await (const page of pages ?? []) {
    const wait = outlet.write(Buffer.from(waiting));
    if (wait !== undefined) await wait;
    if (outlet.isClosed) return;
    waiting = page;
  }
  res.end(Buffer.from(waiting + MULTISTATUS_CLOSE));
}
