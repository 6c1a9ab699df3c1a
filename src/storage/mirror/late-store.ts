import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import type { Block } from '../block.ts';
import type { BlockStore, BlockStoreState } from '../block-store.ts';

export interface LateStoreOptions {
  readonly clock: Clock;
  /** Tried until it succeeds; each call ends by itself. */
  readonly open: () => Promise<BlockStore>;
  /** How long the opening waits before it goes on without the store. */
  readonly waitMs: number;
  readonly retryMs: number;
  /** It could not be opened this time. Must not throw. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * A BlockStore that may answer only later: the second place of a mirror is away while the server
 * starts. Until it has been opened every method is `unavailable`, never empty. What cannot pass by
 * waiting, such as the store of another installation, fails the opening when it is known in time.
 */
export class LateStore implements BlockStore {
  readonly #options: LateStoreOptions;
  #store: BlockStore | undefined;
  #opening: Promise<void> | undefined;
  #cancel: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: LateStoreOptions) {
    this.#options = options;
  }

  /** @throws whatever opening throws within `waitMs`, unless it is `unavailable` or `busy`. */
  static async open(options: LateStoreOptions): Promise<LateStore> {
    const store = new LateStore(options);
    const late = Promise.withResolvers<void>();
    const cancel = options.clock.after(options.waitMs, () => late.resolve());
    const first = store.#attempt();
    store.#opening = first.catch((error: unknown) => store.#later(error));
    try {
      await Promise.race([first.catch(passing), late.promise]);
    } catch (error) {
      await store.close();
      throw error;
    } finally {
      cancel();
    }
    return store;
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    return this.#opened('put', signal).put(block, signal);
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    return this.#opened('get', signal).get(id, signal);
  }

  async read(...[id, offsetBytes, lengthBytes, signal, into]: Parameters<BlockStore['read']>) {
    return this.#opened('read', signal).read(id, offsetBytes, lengthBytes, signal, into);
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    return this.#opened('find').find(id);
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    yield* this.#opened('list').list(after);
  }

  state(): BlockStoreState {
    if (this.#store !== undefined) return this.#store.state();
    const refusesWrites = this.#closing === undefined ? 'failed' : 'closed';
    return { blockCount: 0, storedBytes: 0, refusesWrites, queuedBytes: 0, damagedCount: 0 };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancel();
    await this.#opening;
    await this.#store?.close();
  }

  async #attempt(): Promise<void> {
    this.#store = await this.#options.open();
  }

  #later(error: unknown): void {
    const { clock, retryMs, onFailure } = this.#options;
    onFailure(error);
    if (this.#closing !== undefined) return;
    this.#cancel = clock.after(retryMs, () => {
      this.#opening = this.#attempt().catch((again: unknown) => this.#later(again));
    });
  }

  #opened(method: string, signal?: AbortSignal): BlockStore {
    signal?.throwIfAborted();
    if (this.#store !== undefined) return this.#store;
    const message = 'The second place of the mirror does not answer yet. Try again later.';
    throw new HoldfastError('unavailable', `storage/LateStore.${method}`, message, {
      code: 'not-opened',
    });
  }
}

function passing(error: unknown): void {
  if (error instanceof HoldfastError && error.retryable) return;
  throw error;
}
