/** The last part of an upload's address: which upload, and what is to become of it. */
import { HoldfastError } from '../../base/errors.ts';

export interface TusWishes {
  readonly parentId: string;
  readonly name: string;
  readonly modifiedAt?: string;
  readonly onConflict: 'fail' | 'rename' | 'replace';
}

export interface TusAddress extends TusWishes {
  readonly id: string;
  readonly totalBytes: number;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const ON_CONFLICT = ['fail', 'rename', 'replace'] as const;
const OP = 'rest/tusAddress';

export function tusAddress(address: TusAddress): string {
  const { id, totalBytes, parentId, name, onConflict, modifiedAt } = address;
  const parts = [id, totalBytes, parentId, name, onConflict, modifiedAt ?? null];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws not-found: it is none that was given out. */
export function parseTusAddress(raw: string): TusAddress {
  const parts = parse(Buffer.from(raw, 'base64url').toString('utf8'));
  const [id, totalBytes, parentId, name, conflict, modifiedAt] = Array.isArray(parts)
    ? parts as unknown[] : [];
  const onConflict = ON_CONFLICT.find((one) => one === conflict);
  const isRight = typeof id === 'string' && ID.test(id) && Number.isSafeInteger(totalBytes)
    && typeof parentId === 'string' && typeof name === 'string';
  if (!isRight || onConflict === undefined) throw noUpload();
  return {
    id, totalBytes: Number(totalBytes), parentId, name, onConflict,
    ...(typeof modifiedAt === 'string' && { modifiedAt }),
  };
}

/** Of the header Upload-Metadata: names and values in Base64. @throws invalid. */
export function wishesOf(header: string): TusWishes {
  const values = new Map(header.split(',').map((pair): [string, string] => {
    const [key = '', base64 = ''] = pair.trim().split(' ');
    return [key, Buffer.from(base64, 'base64').toString('utf8')];
  }));
  const parentId = values.get('parentId');
  const name = values.get('name') ?? values.get('filename');
  const onConflict = values.get('onConflict') ?? 'replace';
  const modifiedAt = values.get('modifiedAt');
  const wanted = ON_CONFLICT.find((one) => one === onConflict);
  if (parentId === undefined || name === undefined || wanted === undefined) {
    const message = 'Upload-Metadata needs parentId and name, each in Base64; onConflict is fail, '
      + 'rename or replace.';
    throw new HoldfastError('invalid', OP, message, { code: 'tus-metadata' });
  }
  return { parentId, name, onConflict: wanted, ...(modifiedAt !== undefined && { modifiedAt }) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw noUpload();
    throw error;
  }
}

function noUpload(): HoldfastError {
  return new HoldfastError('not-found', OP, 'There is no such upload.', { code: 'upload-missing' });
}
