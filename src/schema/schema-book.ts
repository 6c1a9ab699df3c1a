/** What the runner remembers beside the shards, in the directory: how far a change has come where,
 *  and whether somebody has paused it. */

export type RunState = 'running' | 'done' | 'failed';

export interface ShardRun {
  readonly changeId: string;
  readonly shard: string;
  readonly state: RunState;
  readonly startedAtMs: number;
  /** Of a backfill. */
  readonly rowsDone: number;
  /** Why it failed; else empty. For people; 500 characters at most. */
  readonly problem: string;
}

export interface ChangeNote {
  readonly changeId: string;
  /** When the last shard was done. Undefined: it has begun, and programs older than `minCode` are
   *  kept out from then on (contracts alone are noted so). */
  readonly doneAtMs: number | undefined;
  readonly minCode: string;
}

/**
 * All methods may run concurrently, also from several processes. Durable once resolved.
 * Errors: `unavailable`, `busy`.
 */
export interface SchemaBook {
  /** Makes or replaces. */
  putRun(run: ShardRun): Promise<void>;
  /** By shard. */
  listRuns(changeId: string): Promise<ShardRun[]>;

  /** Makes or replaces. */
  putChange(note: ChangeNote): Promise<void>;
  /** Calm when there is none. */
  dropChange(changeId: string): Promise<void>;
  /** By id. */
  listChanges(): Promise<ChangeNote[]>;

  /** A pause holds for every runner, also those to come, until `resume`. */
  pause(reason: string, nowMs: number): Promise<void>;
  resume(): Promise<void>;
  findPause(): Promise<{ reason: string; sinceMs: number } | undefined>;

  close(): Promise<void>;
}

export const PROBLEM_LENGTH_MAX = 500;
