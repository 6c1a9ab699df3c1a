/** Pieces of an answer's body, written no faster than the client takes them. */
import type { ServerResponse } from 'node:http';

export class Outlet {
  readonly #res: ServerResponse;
  #wake: (() => void) | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
    const wake = (): void => {
      this.#wake?.();
      this.#wake = undefined;
    };
    res.on('drain', wake);
    res.on('close', wake);
  }

  /** True once the client is gone: nothing more needs to be read for it. */
  get isClosed(): boolean {
    return this.#res.destroyed;
  }

  /** undefined: go on at once. Otherwise wait: until the client has taken enough, or is gone. */
  write(piece: Uint8Array): Promise<void> | undefined {
    if (this.#res.write(piece) || this.#res.destroyed) return undefined;
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}
