/** A large file in pieces, by tus 1.0.0: what has arrived stays, also when the page is left. */
import { API, Problem, isStatus, send } from '../api/http.ts';
import { nodeByPath } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';
import { sendBytes } from './whole-upload.ts';
import type { SendOptions, WholeUpload } from './whole-upload.ts';

/** A piece is what has to be sent again when a connection breaks. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Somebody else may send the same upload, in another window: then we ask anew how far it is. */
const SURPRISES_MAX = 5;
const VERSION = { 'Tus-Resumable': '1.0.0' };

export interface ResumableUpload extends WholeUpload {
  readonly folderPath: string;
  /** Of an attempt before. */
  readonly resumeUrl: string | undefined;
}

export interface ResumableOptions extends SendOptions {
  readonly onResumable: (resumeUrl: string | undefined) => void;
}

/** @throws Problem (409, 412: the name is taken), Unreachable; the signal's reason. */
export async function sendResumably(
  upload: ResumableUpload, options: ResumableOptions,
): Promise<FileNode> {
  const { file, folderPath, name } = upload;
  const { signal, onProgress, onResumable } = options;
  let { url, offset } = await begin(upload, options);
  onResumable(url);
  let surprises = 0;
  let nodeAddress: string | null = null;
  while (offset < file.size || nodeAddress === null) {
    const piece = file.slice(offset, offset + PIECE_BYTES);
    const start = offset;
    try {
      const answer = await sendBytes('PATCH', url, piece, {
        signal, onProgress: (doneBytes) => onProgress(start + doneBytes),
        headers: {
          ...VERSION, 'Upload-Offset': String(start),
          'Content-Type': 'application/offset+octet-stream',
        },
      });
      offset = Number(answer.getResponseHeader('Upload-Offset') ?? start + piece.size);
      nodeAddress = answer.getResponseHeader('Content-Location');
      if (offset >= file.size) break;
    } catch (error) {
      surprises += 1;
      const isOtherOffset = error instanceof Problem && error.code.includes('offset');
      if (!isOtherOffset || surprises > SURPRISES_MAX) throw error;
      offset = await offsetOf(url, signal) ?? 0;
      url = (await begin({ ...upload, resumeUrl: url }, options)).url;
    }
    onProgress(offset);
  }
  onResumable(undefined);
  if (nodeAddress !== null) {
    return await (await send('GET', nodeAddress, { signal })).json() as FileNode;
  }
  return nodeByPath(`${folderPath === '/' ? '' : folderPath}/${name}`, signal);
}

async function begin(
  { parentId, name, file, modifiedMs, mayReplace, resumeUrl }: ResumableUpload,
  { signal }: ResumableOptions,
): Promise<{ url: string; offset: number }> {
  const known = resumeUrl === undefined ? undefined : await offsetOf(resumeUrl, signal);
  if (resumeUrl !== undefined && known !== undefined) return { url: resumeUrl, offset: known };
  const metadata = {
    parentId, name, modifiedAt: new Date(modifiedMs).toISOString(),
    onConflict: mayReplace ? 'replace' : 'fail',
  };
  const headers = {
    ...VERSION, 'Upload-Length': String(file.size),
    'Upload-Metadata': Object.entries(metadata).map(([key, value]) => {
      return `${key} ${inBase64(value)}`;
    }).join(','),
  };
  const response = await send('POST', '/uploads', { headers, signal });
  const url = response.headers.get('location');
  if (url?.startsWith(`${API}/uploads/`) !== true) {
    throw new Error('The server did not say where the upload goes on.');
  }
  return { url, offset: 0 };
}

/** undefined: the server has forgotten it. */
async function offsetOf(url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const response = await send('HEAD', url, { headers: VERSION, signal });
    return Number(response.headers.get('upload-offset') ?? 0);
  } catch (error) {
    if (isStatus(error, 404, 410, 403)) return undefined;
    throw error;
  }
}

function inBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
