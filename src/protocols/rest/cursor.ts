/** Cursors of lists: where the next page begins, as text that means nothing to clients. */
import { HoldfastError } from '../../base/errors.ts';

const CURSOR = /^[A-Za-z0-9_-]{1,4096}$/;

type CursorPart = string | number;

/** `list` names the list it is good for. */
export function makeCursor(list: string, ...parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify([list, ...parts])).toString('base64url');
}

/** @throws invalid `cursor`: it is not one of this list, or was not made by this server. */
export function readCursor<const Kinds extends readonly ('string' | 'number')[]>(
  list: string, raw: string, kinds: Kinds,
): { -readonly [K in keyof Kinds]: Kinds[K] extends 'string' ? string : number } {
  const parts = CURSOR.test(raw)
    ? parse(Buffer.from(raw, 'base64url').toString('utf8')) : undefined;
  if (!Array.isArray(parts) || parts[0] !== list || parts.length !== kinds.length + 1) throw bad();
  const values: unknown[] = parts.slice(1);
  const fits = values.every((value, at) => typeof value === kinds[at]
    && (typeof value !== 'number' || Number.isSafeInteger(value)));
  if (!fits) throw bad();
  return values as never;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bad(cause);
  }
}

function bad(cause?: unknown): HoldfastError {
  const message = 'This cursor is not one of this list. Begin again without one.';
  return new HoldfastError('invalid', 'rest/readCursor', message, { code: 'cursor', cause });
}
