/**
 * Hands damaged copies that verifiers have found to whoever repairs.
 *
 * It goes by the list of findings, not by the verifiers: so it does not matter who found them, in
 * this process or by a command beside it, or how long ago. Nothing is believed of a finding: the
 * copy is read again before anything is done about it. And nothing is closed here: the next pass
 * that sees the copy whole does that.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock, Logger } from '../../platform/index.ts';
import { pause } from './budget.ts';
import type { Finding } from './finding.ts';
import type { VerifierId } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

export interface SuspectCopy {
  volumeId: number;
  /** Undefined: nobody knows which of its copies. */
  diskId?: string;
}

export interface RepairDispatchParts {
  store: VerifyStore;
  clock: Clock;
  log: Logger;
  /** Reads the copy again and repairs it if it is bad. Answers a word for what came of it.
   *  @throws busy, unavailable: later. */
  propose: (copy: SuspectCopy) => Promise<string>;
}

const LOOK_EVERY_MS = 30_000;
const FINDINGS_MAX = 1_000;
/** Their findings are about copies. */
const OF_COPIES: ReadonlySet<VerifierId> = new Set([
  'disk-scrubber', 'replica-comparison', 'metadata-scan',
]);
/** What came of it may be another thing next time, though nothing was seen again. */
const NOT_FINAL: ReadonlySet<string> = new Set(['being-written', 'unreachable', 'later']);

interface Handed {
  lastSeenMs: number;
  outcome: string;
}

export class RepairDispatch {
  readonly #parts: RepairDispatchParts;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RepairDispatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when it hands in nothing any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Hands in what was seen since it was last handed in: each copy once. */
  async look(): Promise<void> {
    const { store } = this.#parts;
    const findings = store.listFindings({ state: 'open', limit: FINDINGS_MAX });
    const open = new Set(findings.map(({ id }) => `${id}`));
    const copies = new Map<string, Finding[]>();
    for (const finding of findings) {
      const copy = copyIn(finding);
      if (copy === undefined || !this.#isNews(finding)) continue;
      const key = `${copy.volumeId} ${copy.diskId ?? ''}`;
      copies.set(key, [...copies.get(key) ?? [], finding]);
    }
    for (const about of copies.values()) {
      if (this.#stop.signal.aborted) return;
      await this.#hand(about);
    }
    for (const { key } of store.listNotes('repair', { prefix: '', limit: FINDINGS_MAX })) {
      if (!open.has(key)) store.dropNote('repair', key);
    }
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await pause(clock, LOOK_EVERY_MS, signal);
        await this.look();
      } catch (err) {
        if (!signal.aborted) log.error({ err }, 'what verifiers found could not be handed on');
      }
    }
  }

  #isNews({ id, lastSeenMs }: Finding): boolean {
    const handed = this.#parts.store.findNote('repair', `${id}`) as Handed | undefined;
    return handed === undefined || handed.lastSeenMs < lastSeenMs || NOT_FINAL.has(handed.outcome);
  }

  async #hand(about: readonly Finding[]): Promise<void> {
    const { store, log } = this.#parts;
    const copy = about[0] === undefined ? undefined : copyIn(about[0]);
    if (copy === undefined) return;
    const outcome = await this.#propose(copy);
    for (const { id, lastSeenMs } of about) {
      const before = store.findNote('repair', `${id}`) as Handed | undefined;
      const handed: Handed = { lastSeenMs, outcome };
      store.putNote('repair', `${id}`, handed);
      if (before?.outcome === outcome) continue;
      log.info({ finding: id, ...copy, outcome }, 'a finding was looked at for repair');
    }
  }

  async #propose(copy: SuspectCopy): Promise<string> {
    try {
      return await this.#parts.propose(copy);
    } catch (error) {
      if (error instanceof HoldfastError && error.retryable) return 'later';
      throw error;
    }
  }
}

/** Undefined: nothing that could be repaired from another copy, or nobody can say which is bad. */
function copyIn({ verifier, kind, severity, facts }: Finding): SuspectCopy | undefined {
  const { volumeId, diskId } = facts;
  if (severity !== 'damage' || !OF_COPIES.has(verifier) || typeof volumeId !== 'number') {
    return undefined;
  }
  if (kind === 'replica-undecided') return undefined;
  return { volumeId, ...(typeof diskId === 'string' && { diskId }) };
}
