/** What came by a form, to be told on the page behind it. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/index.ts';

const RECEIPTS_MAX = 1000;
const RECEIPT_MS = 60 * 60 * 1000;
const ID_BYTES = 16;
/** Of one form; of more files only the number is told. */
const LINES_MAX = 200;

export interface ArrivedFile {
  /** As its sender calls it; where it is stored, it may have another name. */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface FailedFile {
  readonly name: string;
  /** For people. */
  readonly reason: string;
}

export interface Receipt {
  readonly arrived: readonly ArrivedFile[];
  readonly failed: readonly FailedFile[];
}

interface Kept {
  readonly token: string;
  readonly receipt: Receipt;
  readonly untilMs: number;
}

/** In memory: after a restart the page tells only how many files came. */
export class LinkReceipts {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the address of the next page names it by: nobody can guess it. */
  keep(token: string, { arrived, failed }: Receipt): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const receipt = { arrived: arrived.slice(0, LINES_MAX), failed: failed.slice(0, LINES_MAX) };
    this.#kept.set(id, { token, receipt, untilMs: this.#clock.monotonic() + RECEIPT_MS });
    if (this.#kept.size > RECEIPTS_MAX) {
      const [oldest = ''] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    return id;
  }

  find(token: string, id: string | null): Receipt | undefined {
    const kept = this.#kept.get(id ?? '');
    const isGood = kept?.token === token && kept.untilMs > this.#clock.monotonic();
    return isGood ? kept.receipt : undefined;
  }
}
