/** Pieces of an answer's body, written no faster than the client takes them. */
import type { ServerResponse } from 'node:http';

export class Outlet {
  readonly #res: ServerResponse;
  #wake: (() => void) | undefined;
  #flushed: (() => void) | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
    const wake = (): void => {
      this.#wake?.();
      this.#wake = undefined;
    };
    res.on('drain', wake);
    res.on('close', () => {
      wake();
      this.#flushed?.();
    });
  }

  /** True once the client is gone: nothing more needs to be read for it. */
  get isClosed(): boolean {
    return this.#res.destroyed;
  }

  /** Resolves when the system has taken all of the piece, so that its memory can be used again; or
   *  when the client is gone. */
  flush(piece: Uint8Array): Promise<void> {
    if (this.#res.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushed = resolve;
      this.#res.write(piece, () => resolve());
    });
  }

  /** undefined: go on at once. Otherwise wait: until the client has taken enough, or is gone. */
  write(piece: Uint8Array): Promise<void> | undefined {
    if (this.#res.write(piece) || this.#res.destroyed) return undefined;
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}
