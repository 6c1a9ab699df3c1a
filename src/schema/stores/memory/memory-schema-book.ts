/** The book in memory. For tests. */
import { PROBLEM_LENGTH_MAX } from '../../schema-book.ts';
import type { ChangeNote, SchemaBook, ShardRun } from '../../schema-book.ts';

function byText(of: 'shard' | 'changeId') {
  return (a: object, b: object): number => {
    const [ours, theirs] = [a, b].map((one) => String((one as Record<string, unknown>)[of]));
    return (ours ?? '') < (theirs ?? '') ? -1 : 1;
  };
}

export class MemorySchemaBook implements SchemaBook {
  readonly #runs = new Map<string, ShardRun>();
  readonly #changes = new Map<string, ChangeNote>();
  #pause: { reason: string; sinceMs: number } | undefined;

  async putRun(run: ShardRun): Promise<void> {
    const problem = run.problem.slice(0, PROBLEM_LENGTH_MAX);
    this.#runs.set(`${run.changeId} ${run.shard}`, { ...run, problem });
  }

  async listRuns(wanted: string): Promise<ShardRun[]> {
    return [...this.#runs.values()].filter(({ changeId }) => changeId === wanted)
      .sort(byText('shard'));
  }

  async putChange(note: ChangeNote): Promise<void> {
    this.#changes.set(note.changeId, note);
  }

  async dropChange(changeId: string): Promise<void> {
    this.#changes.delete(changeId);
  }

  async listChanges(): Promise<ChangeNote[]> {
    return [...this.#changes.values()].sort(byText('changeId'));
  }

  async pause(reason: string, nowMs: number): Promise<void> {
    this.#pause = { reason: reason.slice(0, PROBLEM_LENGTH_MAX), sinceMs: nowMs };
  }

  async resume(): Promise<void> {
    this.#pause = undefined;
  }

  async findPause(): Promise<{ reason: string; sinceMs: number } | undefined> {
    return this.#pause;
  }

  async close(): Promise<void> {
    this.#pause = undefined;
  }
}
