/** Folders as a whole: as a zip, and as what it takes to compare them with another copy. */
import { Type } from 'typebox';
import { Bytes, shape } from '../../wire/shapes.ts';
import { READ_HEADERS } from './content.ts';
import { placeOf } from './node-view.ts';
import { ById } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { ZIP_TYPE, sendZip } from './zip-answer.ts';

const TAG = 'content';

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
