/** A folder as a zip, whole or one range of it, as the API and the pages of links answer it. */
import { HoldfastError } from '../../base/errors.ts';
import type { ByteRange, FolderZip } from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { httpDate } from '../webdav/http-date.ts';
import { Outlet } from '../webdav/outlet.ts';
import { findRange } from '../webdav/range.ts';
import { dispositionOf } from './inline.ts';

export const ZIP_TYPE = 'application/zip';

/** `before` is asked before a byte goes out. */
export async function sendZip(
  exchange: Exchange, zip: FolderZip,
  before: (range: ByteRange) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { req, res } = exchange;
  const { 'if-none-match': noneMatch, 'if-match': match } = req.headers;
  if (match !== undefined && !isIn(match, zip.etag)) throw changed();
  if (noneMatch !== undefined && isIn(noneMatch, zip.etag)) {
    res.writeHead(304, { ETag: zip.etag });
    res.end();
    return;
  }
  const range = req.method === 'HEAD' ? undefined : rangeOf(exchange, zip);
  const { startBytes, endBytes } = range ?? { startBytes: 0, endBytes: zip.sizeBytes };
  if (req.method !== 'HEAD') await before({ startBytes, endBytes });
  res.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': ZIP_TYPE, 'Content-Length': String(endBytes - startBytes),
    ...(range && { 'Content-Range': `bytes ${startBytes}-${endBytes - 1}/${zip.sizeBytes}` }),
    'ETag': zip.etag, 'Last-Modified': httpDate(zip.modifiedAt), 'Accept-Ranges': 'bytes',
    'Content-Disposition': dispositionOf('attachment', zip.name),
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'private, no-cache',
  });
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const outlet = new Outlet(res);
  for await (const piece of zip.read({ startBytes, endBytes }, exchange.signal)) {
    await outlet.flush(piece);
    if (outlet.isClosed) return;
  }
  res.end();
}

/** undefined: the whole. @throws invalid `range-outside`. */
function rangeOf({ req }: Exchange, { sizeBytes, etag }: FolderZip): ByteRange | undefined {
  const { range, 'if-range': ifRange } = req.headers;
  // Only an ETag will do: another zip may be as old.
  if (range === undefined || (ifRange !== undefined && String(ifRange).trim() !== etag)) {
    return undefined;
  }
  const found = findRange(range, sizeBytes);
  if (found !== 'outside') return found;
  throw new HoldfastError('invalid', 'rest/readZip', 'The zip is shorter than that.', {
    code: 'range-outside', facts: { sizeBytes },
  });
}

function isIn(header: string, etag: string): boolean {
  return header.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));
}

function changed(): HoldfastError {
  const message = 'The folder was changed meanwhile. Begin the download again.';
  return new HoldfastError('precondition', 'rest/readZip', message, { code: 'changed' });
}
