/** All that reads, on one pool of connections. */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import type { Clock } from '../../../../platform/index.ts';
import { RetryBudget } from '../../../../platform/index.ts';
import { GatheredQuestions, patiently, serverFault } from '../../../../platform/mariadb/index.ts';
import type {
  Answer, KnownStates, ServerAddress, Session,
} from '../../../../platform/mariadb/index.ts';
import { GRANTS_TO_MAX } from '../../../access-changes.ts';
import type { GrantRecord, Subject } from '../../../access-records.ts';
import type { ReadOptions } from '../../../metadata-store.ts';
import type { NodeRecord } from '../../../records.ts';
import { spaceMissing, storeClosed } from '../../../refusals.ts';
import { AccessReader } from '../../sqlite/reader/access-reader.ts';
import { SUBJECT_KINDS, subjectText, toGrant } from '../../sqlite/rows.ts';
import type { GrantTuple } from '../../sqlite/rows.ts';
import { FollowReader, toRecord } from '../../sqlite/reader/follow-reader.ts';
import type { ChainTuple } from '../../sqlite/reader/follow-reader.ts';
import { PastReader } from '../../sqlite/reader/past-reader.ts';
import { RecordReader } from '../../sqlite/reader/record-reader.ts';
import { TreeReader } from '../../sqlite/reader/tree-reader.ts';
import type { SqlStatement } from '../../sqlite/statements.ts';
import { explainedFault, WORDS } from '../faults.ts';
import type { Step } from '../line/line-messages.ts';
import { GatheredPaths } from './gathered-paths.ts';
import type { CanonicalPath } from './gathered-paths.ts';
import type { FirstRead, ListingContext, ListingSnapshot } from './folder-listing.ts';
import { ReadPool } from './read-pool.ts';
import {
  GRANT_STATEMENTS, PAST_STATEMENTS, READ_STATEMENTS, SPACE_STATEMENTS, WALK_STATEMENTS,
} from './reader-statements.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import type { Asked } from './remembered-answers.ts';
import { ReplayedStatements } from './replayed-statements.ts';
import type { Question } from './replayed-statements.ts';
import { SpaceReader } from './space-reader.ts';

/** Tries of one read, the first included: a read that failed has changed nothing. */
const TRIES_MAX = 6;

const POLICIES_MAX = 10_000;

type WalkStatements = Readonly<Record<keyof typeof WALK_STATEMENTS, SqlStatement>>;

/** Follows paths, each with one statement. */
class Walker {
  readonly #sql: WalkStatements;
  /** How names are compared in a space never changes. */
  readonly #policies = new Map<SpaceId, CasePolicy>();

  constructor(sql: WalkStatements) {
    this.#sql = sql;
  }

  #casePolicy(spaceId: SpaceId): CasePolicy {
    const known = this.#policies.get(spaceId);
    if (known !== undefined) return known;
    const row = this.#sql.getCasePolicy.get(spaceId) as [CasePolicy] | undefined;
    if (row === undefined) throw spaceMissing(spaceId);
    if (this.#policies.size >= POLICIES_MAX) this.#policies.clear();
    this.#policies.set(spaceId, row[0]);
    return row[0];
  }

  /** Of a path from the root, in a space that was met before. */
  pathIn(spaceId: SpaceId, path: readonly Name[]): CanonicalPath | undefined {
    const casePolicy = this.#policies.get(spaceId);
    return casePolicy && { spaceId, canons: path.map((name) => canonicalName(name, casePolicy)) };
  }

  /** See MetadataStore.resolve. */
  resolve(spaceId: SpaceId, path: readonly Name[], from: number = 0): NodeRecord[] {
    const casePolicy = this.#casePolicy(spaceId);
    const names = JSON.stringify(path.map((name) => canonicalName(name, casePolicy)));
    const rows = this.#sql.walk.all({ space: spaceId, names, from }) as ChainTuple[];
    return rows.map((row) => toRecord(spaceId, row));
  }
}

type GrantStatements = Readonly<Record<keyof typeof GRANT_STATEMENTS, SqlStatement>>;

/** Finds what is shared with somebody, with one statement however many groups they are in. */
class GrantFinder {
  readonly #sql: GrantStatements;
  readonly #access: () => AccessReader;

  constructor(sql: GrantStatements, access: () => AccessReader) {
    this.#sql = sql;
    this.#access = access;
  }

  /** See MetadataStore. */
  listGrantsTo(subjects: readonly Subject[]): readonly GrantRecord[] {
    const others = subjects.filter(({ kind }) => kind !== 'link');
    if (others.length < 2) return this.#access().listGrantsTo(others);
    const pairs = others.map((subject) =>
      [SUBJECT_KINDS.indexOf(subject.kind), subjectText(subject)]);
    const rows = this.#sql.grantsToAny.all({
      subjects: JSON.stringify(pairs), count: GRANTS_TO_MAX,
    }) as GrantTuple[];
    return rows.map(toGrant);
  }
}

export class Readers implements ListingContext {
  readonly #pool: ReadPool;
  readonly #short: GatheredQuestions;
  readonly #patience: { clock: Clock; budget: RetryBudget; triesMax: number };
  readonly #replayed = new ReplayedStatements();
  readonly reads = this.#replayed.tableOf(READ_STATEMENTS);
  readonly records = new RecordReader(this.reads);
  /** Follows no paths: only what is sure to be still true is remembered. */
  readonly tree = new TreeReader(this.reads, neverTheSame());
  readonly follow = new FollowReader(this.reads);
  readonly walker = new Walker(this.#replayed.tableOf(WALK_STATEMENTS));
  readonly past = new PastReader(this.#replayed.tableOf(PAST_STATEMENTS),
    (spaceId, afterRev, limit) => this.records.listEvents(spaceId, afterRev, limit));

  /** Others write too, and tell nobody: so each read has a memory of its own. */
  readonly access = (): AccessReader => new AccessReader(this.reads, this.tree);

  readonly grants =
    new GrantFinder(this.#replayed.tableOf(GRANT_STATEMENTS), this.access);

  readonly spaces =
    new SpaceReader(this.#replayed.tableOf(SPACE_STATEMENTS), this.access);

  readonly #paths: GatheredPaths;
  readonly #chains: RememberedAnswers<NodeRecord[]>;
  readonly #grantLists: RememberedAnswers<readonly GrantRecord[]>;
  #isClosed = false;

  constructor(address: ServerAddress, clock: Clock, states?: KnownStates) {
    this.#pool = new ReadPool(address, clock);
    this.#short = new GatheredQuestions(address, WORDS);
    this.#patience = {
      clock, budget: RetryBudget.of(address.retries), triesMax: TRIES_MAX,
    };
    this.#paths = new GatheredPaths(this.#ask, clock);
    this.#chains = new RememberedAnswers(states);
    this.#grantLists = new RememberedAnswers(states);
  }

  get questionCount(): number {
    return this.#pool.questionCount + this.#short.roundTripCount;
  }

  readonly #ask = (key: string, step: Step): Promise<Answer> => this.#short.ask(key, step);

  /** See MetadataStore. */
  resolve(
    spaceId: SpaceId, path: readonly Name[], from?: NodeId, { sinceMs }: ReadOptions = {},
  ): Promise<NodeRecord[]> {
    return this.#chains.answer(sinceMs, () => `${spaceId}/${from ?? ''}/${path.join('/')}`,
      () => this.#resolve(spaceId, path, from));
  }

  /** See MetadataStore. */
  listGrantsTo(
    subjects: readonly Subject[], { sinceMs }: ReadOptions = {},
  ): Promise<readonly GrantRecord[]> {
    return this.#grantLists.answer(sinceMs, () => JSON.stringify(subjects),
      () => this.#asked(({ grants }) => grants.listGrantsTo(subjects)));
  }

  async #resolve(
    spaceId: SpaceId, path: readonly Name[], from?: NodeId,
  ): Promise<Asked<NodeRecord[]>> {
    if (from !== undefined) return this.#asked(({ walker }) => walker.resolve(spaceId, path, from));
    const known = this.walker.pathIn(spaceId, path);
    const found = known && await this.#patiently(() => this.#paths.find(known));
    if (found !== undefined) return { value: found, isUpToDate: true };
    const asked = await this.#asked(({ walker }) => walker.resolve(spaceId, path));
    const met = this.walker.pathIn(spaceId, path);
    if (met !== undefined) this.#paths.note(met, asked.value);
    return asked;
  }

  /** Runs a reader on a snapshot of its own; one that asks one short thing only, together with
   *  others. A connection that breaks meanwhile is no matter: the read is made anew.
   *  @throws HoldfastError. */
  async answer<T>(read: (readers: Readers) => T): Promise<T> {
    return (await this.#asked(read)).value;
  }

  #asked<T>(read: (readers: Readers) => T): Promise<Asked<T>> {
    return this.#patiently(() => this.#answerOnce(read));
  }

  async #patiently<T>(once: () => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#patience, async () => {
        if (this.#isClosed) throw storeClosed();
        return once();
      });
    } catch (error) {
      throw explainedFault(error);
    }
  }

  async #answerOnce<T>(read: (readers: Readers) => T): Promise<Asked<T>> {
    const alone = await this.#replayed.answerAlone(this.#ask, () => read(this));
    if ('value' in alone) return { value: alone.value, isUpToDate: true };
    const session = await this.#pool.take();
    const snapshot = this.#snapshotOn(session);
    try {
      const value = await snapshot.answer(() => read(this), alone.questions);
      return { value, isUpToDate: false };
    } finally {
      snapshot.end();
    }
  }

  /** See ListingContext. */
  readonly firstQuestions = (...reads: readonly (() => unknown)[]): Question[] =>
    this.#replayed.firstQuestions(reads);

  /** See ListingContext. A connection that breaks before the first answer is no matter. */
  readonly begin = <T>(signal: AbortSignal | undefined, ...first: FirstRead<T>): Promise<{
    snapshot: ListingSnapshot; answer: T;
  }> => this.#patiently(async () => {
    signal?.throwIfAborted();
    const snapshot = this.#snapshotOn(await this.#pool.take(signal), signal);
    try {
      return { snapshot: explaining(snapshot), answer: await snapshot.answer(...first) };
    } catch (error) {
      snapshot.end();
      throw error;
    }
  });

  #snapshotOn(session: Session, signal?: AbortSignal): ListingSnapshot {
    let isOver = false;
    const end = (giveBack: () => void): void => {
      if (isOver) return;
      isOver = true;
      signal?.removeEventListener('abort', onAbort);
      giveBack();
    };
    const onAbort = (): void => end(() => this.#pool.discard(session));
    signal?.addEventListener('abort', onAbort, { once: true });
    return {
      answer: async (read, questions) => {
        signal?.throwIfAborted();
        if (isOver || this.#isClosed) throw storeClosed();
        try {
          return await this.#replayed.answer(session, read, questions);
        } catch (error) {
          if (serverFault(error) !== undefined) end(() => this.#pool.discard(session));
          signal?.throwIfAborted();
          throw error;
        }
      },
      end: () => end(() => this.#pool.giveBack(session)),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.past.close();
    await this.#short.close();
    await this.#pool.close();
  }
}

function explaining(snapshot: ListingSnapshot): ListingSnapshot {
  return {
    answer: (read, questions) => snapshot.answer(read, questions).catch((error: unknown) => {
      throw explainedFault(error);
    }),
    end: () => snapshot.end(),
  };
}

function neverTheSame(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}
