/** A moment of the past, as people and addresses name it. Pure. */
import { HoldfastError } from '../../base/errors.ts';
import type { Instant } from '../../metadata/index.ts';

/** A revision of the space that is looked at, or an instant. */
export type When = { rev: number } | { at: Instant };

const REVISION = /^rev-(0|[1-9]\d{0,15})$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/** `rev-42`, or an instant in UTC like `2026-11-20T10:00:00Z`. @throws invalid `moment`. */
export function parseWhen(raw: string): When {
  const [, digits] = REVISION.exec(raw) ?? [];
  if (digits !== undefined && Number.isSafeInteger(Number(digits))) return { rev: Number(digits) };
  const at = INSTANT.test(raw) ? Date.parse(raw) : NaN;
  // Days that do not exist would be taken for others.
  if (!Number.isNaN(at) && new Date(at).toISOString().slice(0, 19) === raw.slice(0, 19)) {
    return { at };
  }
  const message = 'The moment must be given in UTC, like 2026-11-20T10:00:00Z, or as a revision, '
    + 'like rev-42.';
  throw new HoldfastError('invalid', 'files/parseWhen', message, { code: 'moment' });
}
