/** A file in one request, with its progress: `fetch` tells nothing of what has been sent. */
import { connection } from '../api/connection.ts';
import { AWAY, Unreachable, addressOf, isAway, newKey, problemFrom } from '../api/http.ts';
import { newContentPath } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number) => void;
}

export interface WholeUpload {
  readonly parentId: string;
  readonly name: string;
  readonly file: Blob;
  readonly modifiedMs: number;
  readonly mayReplace: boolean;
}

/** @throws Problem (412: the name is taken), Unreachable; the signal's reason. */
export function sendWhole(
  { parentId, name, file, modifiedMs, mayReplace }: WholeUpload, options: SendOptions,
): Promise<FileNode> {
  const modifiedAt = new Date(modifiedMs).toISOString();
  const url = addressOf(newContentPath(parentId, name), { modifiedAt });
  return sendBytes('PUT', url, file, {
    ...options,
    headers: {
      'Content-Type': 'application/octet-stream', 'Idempotency-Key': newKey(),
      ...(!mayReplace && { 'If-None-Match': '*' }),
    },
  }).then(({ responseText }) => JSON.parse(responseText) as FileNode);
}

/** Sends bytes and resolves with the request once it was answered with success. */
export function sendBytes(
  method: string, url: string, bytes: Blob,
  { signal, onProgress, headers }: SendOptions & { headers: Readonly<Record<string, string>> },
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      settle();
    };
    request.open(method, url);
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    const lose = (): void => {
      connection.lose();
      reject(new Unreachable(AWAY));
    };
    request.addEventListener('load', () => end(() => {
      if (isAway(request.status, request.getResponseHeader('Content-Type'))) return lose();
      connection.reach();
      if (request.status >= 200 && request.status < 300) resolve(request);
      else reject(problemFrom(request.status, request.responseText));
    }));
    request.addEventListener('error', () => end(lose));
    request.addEventListener('abort', () => end(() => reject(reasonOfAbort(signal))));
    if (signal.aborted) return reject(reasonOfAbort(signal));
    signal.addEventListener('abort', abort, { once: true });
    request.send(bytes);
  });
}

function reasonOfAbort(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException('Stopped', 'AbortError');
}
