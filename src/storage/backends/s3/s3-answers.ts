/** The XML of the S3 protocol: error bodies, and pages of a listing. */
import { SaxesParser } from 'saxes';

export interface S3ErrorBody {
  code: string;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
}

export interface ListPage {
  objects: ListedObject[];
  /** There are more behind the last one. */
  truncated: boolean;
}

const DEPTH_MAX = 8;
const TEXT_MAX = 4096;

/** The service's word for what is wrong; undefined when the body is not an S3 error. */
export function parseErrorCode(body: Buffer): string | undefined {
  let code: string | undefined;
  const whole = parseXml(body, (path, text) => {
    if (path === 'Error/Code') code = text;
  });
  return whole && code !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(code) ? code : undefined;
}

/** Undefined when the body is not a whole, consistent page of `prefix` behind `after`: a listing
 *  has no checksum, so everything that can be checked against itself is. */
export function parseListPage(
  body: Buffer, wanted: { prefix: string; after: string },
): ListPage | undefined {
  const objects: ListedObject[] = [];
  let open: Partial<ListedObject> = {};
  let truncated: string | undefined;
  let count: string | undefined;
  const whole = parseXml(body, (path, text) => {
    if (path === 'ListBucketResult/IsTruncated') truncated = text;
    else if (path === 'ListBucketResult/KeyCount') count = text;
    else if (path === 'ListBucketResult/Contents/Key') open.key = text;
    else if (path === 'ListBucketResult/Contents/Size') open.sizeBytes = parseSize(text);
    else if (path === 'ListBucketResult/Contents') {
      objects.push({ key: open.key ?? '', sizeBytes: open.sizeBytes ?? NaN });
      open = {};
    }
  });
  if (!whole || (truncated !== 'true' && truncated !== 'false')) return undefined;
  if (count !== undefined && Number(count) !== objects.length) return undefined;
  if (truncated === 'true' && objects.length === 0) return undefined;
  let last = wanted.after;
  for (const { key, sizeBytes } of objects) {
    const isNext = key.startsWith(wanted.prefix) && key > last;
    if (!isNext || Number.isNaN(sizeBytes)) return undefined;
    last = key;
  }
  return { objects, truncated: truncated === 'true' };
}

function parseSize(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

/** Calls `onClose` at the end of every element. False when the text is not well-formed XML. */
function parseXml(body: Buffer, onClose: (path: string, text: string) => void): boolean {
  const parser = new SaxesParser();
  const names: string[] = [];
  let text = '';
  let wrong = false;
  parser.on('error', () => {
    wrong = true;
  });
  parser.on('doctype', () => {
    wrong = true;
  });
  parser.on('opentag', ({ name }) => {
    names.push(name);
    if (names.length > DEPTH_MAX) wrong = true;
    text = '';
  });
  parser.on('text', (part) => {
    if (text.length < TEXT_MAX) text += part;
  });
  parser.on('closetag', () => {
    if (!wrong) onClose(names.join('/'), text);
    names.pop();
    text = '';
  });
  parser.write(body.toString('utf8')).close();
  return !wrong;
}
