/** The XML of Azure Blob storage: error bodies, and pages of a listing. */
import { SaxesParser } from 'saxes';
import type { ListedObject } from '../s3/s3-answers.ts';

export interface BlobPage {
  blobs: ListedObject[];
  /** Asks for the page behind this one; undefined on the last. Its meaning is the service's. */
  nextMarker: string | undefined;
}

const DEPTH_MAX = 12;
const TEXT_MAX = 4096;
const PAGE = 'EnumerationResults';

/** The service's word for what is wrong; undefined when the body is not an error of its. */
export function parseErrorCode(body: Buffer): string | undefined {
  let code: string | undefined;
  const isWhole = parseXml(body, (path, text) => {
    if (path === 'Error/Code') code = text;
  });
  return isWhole && code !== undefined && /^[A-Za-z0-9]{1,64}$/.test(code) ? code : undefined;
}

/** Undefined when the body is not a whole, consistent page of `prefix`: a listing has no checksum,
 *  so everything that can be checked against itself is. */
export function parseBlobPage(body: Buffer, prefix: string): BlobPage | undefined {
  const blobs: ListedObject[] = [];
  let open: Partial<ListedObject> = {};
  let nextMarker: string | undefined;
  const isWhole = parseXml(body, (path, text) => {
    if (path === `${PAGE}/NextMarker`) nextMarker = text;
    else if (path === `${PAGE}/Blobs/Blob/Name`) open.key = text;
    else if (path === `${PAGE}/Blobs/Blob/Properties/Content-Length`) {
      open.sizeBytes = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    } else if (path === `${PAGE}/Blobs/Blob`) {
      blobs.push({ key: open.key ?? '', sizeBytes: open.sizeBytes ?? NaN });
      open = {};
    }
  });
  // Every page has the element, the last one an empty one.
  if (!isWhole || nextMarker === undefined) return undefined;
  let last = '';
  for (const { key, sizeBytes } of blobs) {
    if (!key.startsWith(prefix) || !(key > last) || Number.isNaN(sizeBytes)) return undefined;
    last = key;
  }
  return { blobs, nextMarker: nextMarker === '' ? undefined : nextMarker };
}

/** Calls `onClose` at the end of every element. False when the text is not well-formed XML. */
function parseXml(body: Buffer, onClose: (path: string, text: string) => void): boolean {
  const parser = new SaxesParser();
  const names: string[] = [];
  let text = '';
  let isWrong = false;
  parser.on('error', () => {
    isWrong = true;
  });
  parser.on('doctype', () => {
    isWrong = true;
  });
  parser.on('opentag', ({ name }) => {
    names.push(name);
    if (names.length > DEPTH_MAX) isWrong = true;
    text = '';
  });
  parser.on('text', (part) => {
    if (text.length < TEXT_MAX) text += part;
  });
  parser.on('closetag', () => {
    if (!isWrong) onClose(names.join('/'), text);
    names.pop();
    text = '';
  });
  parser.write(body.toString('utf8').replace(/^\uFEFF/, '')).close();
  return !isWrong;
}
