/** The ledger of volumes without a file: what was appended is durable at once. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ZERO_HASH } from '../../../src/base/hash-chain.ts';
import { encodeLine, type LedgerEntry, type NewEntry }
  from '../../../src/durability/gc/ledger/ledger-entry.ts';

export class PaperLedger {
  readonly entries: LedgerEntry[] = [];
  #hash = ZERO_HASH;

  /** For one program; once it is over nothing is written and nothing answered. */
  opened(isOver: () => boolean): { append: (entry: NewEntry) => Promise<LedgerEntry> } {
    return {
      append: async (entry) => {
        await nextTurn();
        if (isOver()) return new Promise<never>(() => undefined);
        const numbered = { seq: this.entries.length + 1, ...entry } as LedgerEntry;
        this.#hash = encodeLine(numbered, this.#hash).hash;
        this.entries.push(numbered);
        return numbered;
      },
    };
  }
}
