import type { Clock } from '../../../platform/index.ts';
import type { Budget } from '../budget.ts';
import { ExtentReferee } from '../extent-referee.ts';
import type { FindingDesk } from '../finding-desk.ts';
import type { LedgerReader } from '../ledger.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from '../verifier.ts';
import type { VerifyStore } from '../verify-store.ts';

/** What is left of the extent referee where there are no volumes: whether the ledger is whole, and
 *  whether everything that was erased by it had its reasons. */
export class LedgerReferee implements Verifier {
  readonly id = 'extent-referee';
  readonly unit;
  readonly cycleMs: number;
  readonly #referee: ExtentReferee;

  constructor(parts: {
    store: VerifyStore; desk: FindingDesk; clock: Clock; ledger: LedgerReader;
  }) {
    this.#referee = new ExtentReferee({ ...parts, disks: () => [] });
    this.unit = this.#referee.unit;
    this.cycleMs = this.#referee.cycleMs;
  }

  status(): VerifierStatus {
    return this.#referee.status();
  }

  async run(budget: Budget, signal: AbortSignal, options?: RunOptions): Promise<RunOutcome> {
    const { reason, ...outcome } = await this.#referee.run(budget, signal, options);
    if (reason === undefined) return outcome;
    return { ...outcome, reason: 'only the ledger: the blocks lie in an object store' };
  }
}
