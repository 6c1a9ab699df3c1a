/** Keys of rows that were carried over lately, and are to be compared: each once. */
import { WHOLE_SPACE } from './row-tables.ts';
import type { RowKey } from './tenant-rows.ts';

export class TouchedRows {
  readonly #tables = new Map<string, Map<string, RowKey>>();
  #count = 0;

  add(name: string, key: RowKey): void {
    const keys = this.#tables.get(name) ?? new Map<string, RowKey>();
    this.#tables.set(name, keys);
    const text = JSON.stringify(key);
    if (!keys.has(text)) this.#count += 1;
    keys.set(text, key);
  }

  addAll(others: TouchedRows): void {
    for (const [name, keys] of others.#tables) {
      for (const key of keys.values()) this.add(name, key);
    }
  }

  has(name: string, key: RowKey): boolean {
    return this.#tables.get(name)?.has(JSON.stringify(key)) === true;
  }

  clear(): void {
    this.#tables.clear();
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** WHOLE_SPACE is not among them. */
  * tables(): Iterable<[name: string, keys: RowKey[]]> {
    for (const [name, keys] of this.#tables) {
      if (name !== WHOLE_SPACE) yield [name, [...keys.values()]];
    }
  }

  /** Spaces that were made, all of whose rows count. */
  spaces(): number[] {
    return [...this.#tables.get(WHOLE_SPACE)?.values() ?? []].map(([id]) => Number(id));
  }
}
