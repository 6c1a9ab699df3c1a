import type { UserId } from '../../../base/ids.ts';

/** An answer as it went out the first time. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined: there was none, or it was not to be kept (see isWhole). */
  readonly body: string | undefined;
  /** False: the answer had a body that is not kept, being too large or a secret. */
  readonly isWhole: boolean;
}

export interface KeyedRequest {
  readonly user: UserId;
  /** As the client chose it; 1 to 200 characters. */
  readonly key: string;
  /** A hash of all that makes the request what it is. */
  readonly fingerprint: string;
}

/** What is known of a key. */
export type KeyState =
  | { readonly kind: 'begun' } // It is new: do what is asked.
  | { readonly kind: 'busy' } // The same request is being worked on now.
  | { readonly kind: 'other' } // The key was used with another request.
  | { readonly kind: 'unknown' } // It was begun, and nobody knows how it ended.
  | { readonly kind: 'done'; readonly answer: KeptAnswer };

/**
 * Keeps for each user which keyed requests were begun and what was answered, so that repeating one
 * does not do the same again.
 *
 * All methods may run concurrently; of two that begin one key, one is told `begun`.
 * Durability: what has resolved survives a power cut. A request that was begun when the process
 * ended counts as `unknown` from the next start on; where several servers share a store, once the
 * others miss the process.
 * Bounds: keys count for KEY_TTL_MS from their beginning, and of one user the newest
 * KEYS_PER_USER_MAX; older ones are forgotten, by and by.
 * Errors: `unavailable` once closed, or when the disk fails; `full`.
 */
export interface IdempotencyStore {
  /** Notes that a request begins, unless its key is known. */
  begin(request: KeyedRequest, at: number): Promise<KeyState>;

  /** Keeps the answer of a request that was begun. */
  finish(request: KeyedRequest, answer: KeptAnswer): Promise<void>;

  /** Notes that nobody knows how a request ended. */
  lose(request: KeyedRequest): Promise<void>;

  /** Forgets a key whose request changed nothing: it may be tried again. Calm when unknown. */
  forget(request: KeyedRequest): Promise<void>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

export const KEY_TTL_MS = 24 * 60 * 60 * 1000;
export const KEYS_PER_USER_MAX = 10_000;
/** UTF-8 of a body that is kept. */
export const ANSWER_BYTES_MAX = 64 * 1024;
