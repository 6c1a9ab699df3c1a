/**
 * Names of locks. All are `opaquelocktoken:` and a UUID that begins with the time at which the lock
 * was made. Its version says whose the lock is: 7 (RFC 9562, section 5.7) belongs to the program
 * that took it, which must show the token with every change; 8 (section 5.8) belongs to a person,
 * whose programs may all work on, while everybody else is kept out. So neither kind nor time need a
 * place of their own, and a client that shows the token of a person's lock is right too.
 */
import type { Instant } from './records.ts';

export type LockKind = 'token' | 'person';

const PREFIX = 'opaquelocktoken:';
const VERSION: Readonly<Record<LockKind, number>> = { token: 0x70, person: 0x80 };
const SHAPE = /^opaquelocktoken:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f])[0-9a-f]{3}-[0-9a-f-]{17}$/;

/** `random`: 10 bytes at least. */
export function newLockToken(kind: LockKind, at: Instant, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.set(random.subarray(0, 10), 6);
  bytes.writeUIntBE(Math.max(0, at), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | VERSION[kind];
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const groups = [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]] as const;
  return PREFIX + groups.map(([from, to]) => hex.slice(from, to)).join('-');
}

export function lockKindOf(token: string): LockKind {
  return SHAPE.exec(token)?.[3] === '8' ? 'person' : 'token';
}

/** undefined: the token does not say. */
export function lockedAt(token: string): Instant | undefined {
  const [, high, low, version] = SHAPE.exec(token) ?? [];
  if (version !== '7' && version !== '8') return undefined;
  return Number.parseInt(`${high ?? ''}${low ?? ''}`, 16);
}
