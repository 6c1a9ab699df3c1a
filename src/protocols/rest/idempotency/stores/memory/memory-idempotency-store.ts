import { HoldfastError } from '../../../../../base/errors.ts';
import { KEY_TTL_MS, KEYS_PER_USER_MAX } from '../../idempotency-store.ts';
import type {
  IdempotencyStore, KeptAnswer, KeyedRequest, KeyState,
} from '../../idempotency-store.ts';

interface Entry {
  readonly fingerprint: string;
  readonly at: number;
  state: 'begun' | 'unknown' | KeptAnswer;
}

/** For tests; it survives no restart. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  /** By user; in the order in which keys were begun. */
  readonly #users = new Map<string, Map<string, Entry>>();
  #isClosed = false;

  async begin({ user, key, fingerprint }: KeyedRequest, at: number): Promise<KeyState> {
    this.#checkOpen();
    const entries = this.#users.get(user) ?? new Map<string, Entry>();
    this.#users.set(user, entries);
    for (const [old, entry] of entries) {
      if (entry.at <= at - KEY_TTL_MS || entries.size > KEYS_PER_USER_MAX) entries.delete(old);
    }
    const known = entries.get(key);
    if (known !== undefined) return stateOf(known, fingerprint);
    entries.set(key, { fingerprint, at, state: 'begun' });
    const [oldest] = entries.keys();
    if (entries.size > KEYS_PER_USER_MAX && oldest !== undefined) entries.delete(oldest);
    return { kind: 'begun' };
  }

  async finish(request: KeyedRequest, answer: KeptAnswer): Promise<void> {
    this.#set(request, answer);
  }

  async lose(request: KeyedRequest): Promise<void> {
    this.#set(request, 'unknown');
  }

  async forget({ user, key }: KeyedRequest): Promise<void> {
    this.#checkOpen();
    this.#users.get(user)?.delete(key);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #set({ user, key }: KeyedRequest, state: Entry['state']): void {
    this.#checkOpen();
    const entry = this.#users.get(user)?.get(key);
    if (entry !== undefined) entry.state = state;
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new HoldfastError('unavailable', 'rest/IdempotencyStore', 'The store is closed.');
  }
}

function stateOf(entry: Entry, fingerprint: string): KeyState {
  if (entry.fingerprint !== fingerprint) return { kind: 'other' };
  if (entry.state === 'begun') return { kind: 'busy' };
  if (entry.state === 'unknown') return { kind: 'unknown' };
  return { kind: 'done', answer: entry.state };
}
