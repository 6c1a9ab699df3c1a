/** Where verifiers hand in what they found: the durable list, the log and the metrics hear it. */
import type { Clock, Logger, MetricCounter, Metrics } from '../../platform/index.ts';
import { FINDING_KINDS, severityOf } from './finding.ts';
import type { Report } from './finding.ts';
import type { VerifierId } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

export interface DeskParts {
  store: VerifyStore;
  clock: Clock;
  log: Logger;
  /** Left out where nobody scrapes, as in a command. */
  metrics?: Metrics;
}

export class FindingDesk {
  readonly #parts: DeskParts;
  readonly #counter: MetricCounter | undefined;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#counter = parts.metrics?.counter({
      name: 'verify_findings_total', labels: ['verifier', 'kind'],
      help: 'Findings of the verifiers, each counted when it was first seen.',
    });
  }

  report(report: Report): void {
    const { store, clock, log } = this.#parts;
    const { verifier, kind, where, facts } = report;
    if (store.report(report, clock.now()) === 'again') return;
    this.#counter?.inc({ verifier, kind });
    const line = { verifier, kind, where, ...facts };
    const text = `verifying found: ${FINDING_KINDS[kind].says}`;
    if (severityOf(kind) === 'damage') log.error(line, text);
    else log.warn(line, text);
  }

  /** The scope is no more: nothing can be wrong with it. What took it away is for the referee. */
  forget(verifier: VerifierId, scope: string): void {
    this.#parts.store.dropUnit(verifier, scope);
    this.settle(verifier, Number.MAX_SAFE_INTEGER, scope);
  }

  /** What of this scope was not seen again since `sinceMs` is no longer so. */
  settle(verifier: VerifierId, sinceMs: number, scope?: string): void {
    const { store, clock, log } = this.#parts;
    const atMs = clock.now();
    const fixed = store.settle(verifier, { sinceMs, atMs, ...(scope !== undefined && { scope }) });
    if (fixed > 0) log.info({ verifier, fixed }, 'findings are no longer there');
  }
}
