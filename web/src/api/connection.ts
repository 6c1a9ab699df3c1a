/**
 * Whether the server can be reached. Whoever cannot reach it says so here; then it is asked again
 * and again, ever more seldom, until it answers.
 */
import { Store } from './store.ts';

export interface ConnectionState {
  readonly isReachable: boolean;
  /** When it is asked again; undefined while it is being asked. */
  readonly nextTryAt: number | undefined;
}

const PROBE = '/api/v1/session';
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;
const PROBE_TIMEOUT_MS = 10_000;

export class Connection {
  readonly state = new Store<ConnectionState>({ isReachable: true, nextTryAt: undefined });
  #pauseMs = PAUSE_MS_MIN;
  #timer: ReturnType<typeof setTimeout> | undefined;

  lose(): void {
    if (!this.state.value.isReachable) return;
    this.#pauseMs = PAUSE_MS_MIN;
    this.#wait();
  }

  reach(): void {
    clearTimeout(this.#timer);
    this.state.set(this.state.value.isReachable ? this.state.value
      : { isReachable: true, nextTryAt: undefined });
  }

  /** Asks at once. */
  async probe(): Promise<void> {
    clearTimeout(this.#timer);
    this.state.set({ isReachable: false, nextTryAt: undefined });
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const { status } = await fetch(PROBE, { cache: 'no-store', signal });
      // A proxy that answers for a server which is away is no server.
      if (status !== 502 && status !== 503 && status !== 504) return this.reach();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.state.set({ isReachable: false, nextTryAt: Date.now() + this.#pauseMs });
    this.#timer = setTimeout(() => void this.probe(), this.#pauseMs);
  }
}

export const connection = new Connection();
