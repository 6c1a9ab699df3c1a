/** Folders as a whole: as a zip, and as what it takes to compare them with another copy. */
import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import type { ByteRange, FolderZip } from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { Bytes, shape } from '../../wire/shapes.ts';
import { httpDate } from '../webdav/http-date.ts';
import { Outlet } from '../webdav/outlet.ts';
import { findRange } from '../webdav/range.ts';
import { READ_HEADERS } from './content.ts';
import { dispositionOf } from './inline.ts';
import { placeOf } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const TAG = 'content';
const ZIP_TYPE = 'application/zip';

const VerdictShape = shape({
  files: Type.Integer({ minimum: 0 }),
  folders: Type.Integer({ minimum: 0, description: 'Below it; it is not counted itself.' }),
  sizeBytes: Bytes,
  digest: Type.String({
    description: 'Of all names and bytes; the same for every copy. docs/formats/folder-digest.md '
      + 'says how anybody can compute it, and `holdfast digest FOLDER` does.',
  }),
}, { $id: 'FolderVerdict' });

export function wholeFolderResource(api: RestApi, parts: RestParts): void {
  const { zips, folderVerify } = parts;
  api.raw({
    id: 'readZip', tag: TAG, method: 'GET', path: '/nodes/{id}/zip', scope: 'files:read',
    summary: 'A folder as a zip',
    description: 'Nothing is compressed, so its length is known from the start and a broken '
      + 'download goes on with Range and If-Range. Of one ETag it is the same byte for byte.',
    params: ById, headers: READ_HEADERS, refusals: [409, 412, 413, 416, 503],
    success: {
      status: 200, also: [206, 304], description: 'The zip; 206: the range of it.',
      mediaType: ZIP_TYPE,
    },
    async answerRaw({ caller, exchange, params }) {
      const { path } = await placeOf(parts, caller, params.id);
      const zip = await zips.open(caller, path, exchange.signal);
      try {
        await sendZip(exchange, zip);
      } finally {
        zip.close();
      }
    },
  });
  api.operation({
    id: 'verifyFolder', tag: TAG, method: 'GET', path: '/nodes/{id}/verify', scope: 'files:read',
    summary: 'Count a folder, and make a digest to compare it with another copy by',
    description: 'It takes as long as reading what is not known yet.',
    params: ById,
    query: shape({
      bytes: Type.Optional(Type.Enum(['known', 'read'], {
        type: 'string',
        description: 'read: every byte is read now. known, the default: a hash that the server '
          + 'made of the same content before will do.',
      })),
    }),
    refusals: [409, 413, 503],
    success: { status: 200, description: 'What is in it.', schema: VerdictShape },
    async answer({ caller, exchange: { signal }, params, query }) {
      const { path } = await placeOf(parts, caller, params.id);
      const readsAll = query.bytes === 'read';
      return { body: await folderVerify.verify(caller, path, { readsAll, signal }) };
    },
  });
}

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
