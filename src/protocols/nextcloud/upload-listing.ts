/** What a client is told of an upload, so that it goes on behind the parts that are here. */
import { etagText } from './part-etag.ts';
import type { UploadPartRecord } from '../../metadata/index.ts';
import { encodeName } from '../paths.ts';
import { MULTISTATUS_CLOSE, MULTISTATUS_OPEN } from '../webdav/multistatus.ts';

/** The folder itself, then its parts by number. `href` is percent-encoded and ends with a slash.
 *  Every property that clients ask for here is answered, whether asked for or not. */
export function uploadListing(href: string, parts: readonly UploadPartRecord[]): string {
  const members = parts.map((part) => partXml(href, part)).join('');
  return MULTISTATUS_OPEN + folderXml(href) + members + MULTISTATUS_CLOSE;
}

function folderXml(href: string): string {
  return responseXml(href, '<d:resourcetype><d:collection/></d:resourcetype>');
}

function partXml(href: string, part: UploadPartRecord): string {
  return responseXml(href + encodeName(part.name), '<d:resourcetype/>'
    + `<d:getcontentlength>${part.sizeBytes}</d:getcontentlength>`
    + `<d:getetag>${etagText(part)}</d:getetag>`);
}

function responseXml(href: string, properties: string): string {
  return `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${properties}</d:prop>`
    + '<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>';
}
