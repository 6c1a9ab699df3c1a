/** The largest witness marks, gathered in memory and written with the batch that brought them. */
import type { Witness } from '../../../../base/witness.ts';
import type { Statements } from '../statements.ts';

export class WitnessState {
  readonly #sql: Statements;
  #marks: Map<number, number> | undefined;
  #stored = new Set<number>();
  readonly #dirty = new Set<number>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  #load(): Map<number, number> {
    if (this.#marks === undefined) {
      this.#marks = new Map(this.#sql.getWitness.all() as [number, number][]);
      this.#stored = new Set(this.#marks.keys());
    }
    return this.#marks;
  }

  note(witness: Witness): void {
    const marks = this.#load();
    for (const [volumeId, durableBytes] of witness) {
      if (durableBytes <= (marks.get(volumeId) ?? -1)) continue;
      marks.set(volumeId, durableBytes);
      this.#dirty.add(volumeId);
    }
  }

  flush(): void {
    for (const volumeId of this.#dirty) {
      const durableBytes = this.#marks?.get(volumeId) ?? 0;
      if (this.#stored.has(volumeId)) this.#sql.updateWitness.run(durableBytes, volumeId);
      else this.#sql.insertWitness.run(volumeId, durableBytes);
      this.#stored.add(volumeId);
    }
    this.#dirty.clear();
  }

  forget(): void {
    this.#marks = undefined;
    this.#dirty.clear();
  }
}
