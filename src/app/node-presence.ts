/** Tells other programs on the same database that this one runs, and of which version it is. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { HoldfastError } from '../base/errors.ts';
import type { Clock, Logger, NodeEntry, NodeRegistry } from '../platform/index.ts';

/** Well below NODE_DEAD_MS: some may be lost. */
const BEAT_MS = 2_000;
/** Of rounds of leaving blocks it claims to have seen none: so nothing is removed by its word. */
const NO_ROUND = 0;

export interface PresenceOptions {
  readonly registry: NodeRegistry;
  /** The data directory: one process at a time has it. */
  readonly root: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export class NodePresence {
  readonly #options: PresenceOptions;
  readonly #node: NodeEntry;
  #cancel: () => void = () => undefined;
  #beating: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(options: PresenceOptions) {
    const place = `${hostname()}:${options.root}`;
    this.#options = options;
    this.#node = {
      name: place.slice(-255), incarnation: randomUUID(), version: options.version, place,
    };
  }

  /** Others know of it once this has resolved. Closes the registry when it fails, or is closed.
   *  @throws unavailable. */
  static async enter(options: PresenceOptions): Promise<NodePresence> {
    const presence = new NodePresence(options);
    try {
      await options.registry.enter(presence.#node, NO_ROUND);
    } catch (error) {
      await options.registry.close();
      throw error;
    }
    presence.#plan();
    return presence;
  }

  #plan(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(BEAT_MS, () => {
      this.#beating = this.#beat().finally(() => this.#plan());
    });
  }

  async #beat(): Promise<void> {
    const { registry, log } = this.#options;
    try {
      if (!await registry.beat(this.#node, NO_ROUND)) await registry.enter(this.#node, NO_ROUND);
    } catch (err) {
      if (!(err instanceof HoldfastError)) throw err;
      log.warn({ err }, 'other programs could not be told that this one runs; trying again');
    }
  }

  /** Others know at once that it has ended, if they can be told. */
  async close(): Promise<void> {
    const { registry, log } = this.#options;
    this.#isClosed = true;
    this.#cancel();
    await this.#beating;
    try {
      await registry.leave(this.#node);
    } catch (err) {
      if (!(err instanceof HoldfastError)) throw err;
      log.warn({ err }, 'other programs could not be told that this one ends');
    } finally {
      await registry.close();
    }
  }
}
