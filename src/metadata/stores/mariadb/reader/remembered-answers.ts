/**
 * Answers that need not be asked for again, because the database is known to be as it was. Each
 * change raises the turn of writers in its own transaction, so what was read at a turn is what
 * anybody would read at that turn. Whoever asks says how old the answer may be; it is given only
 * where the turn was read after that moment, and is the one at which the answer was remembered.
 *
 * An answer is entered under the turn that was known before it was asked for. If somebody wrote in
 * between it is newer than that turn, and whoever reads the turn from then on finds another one: so
 * it is never taken for newer than it is.
 *
 * Nothing is asked for the sake of this: where the turn is not known, there is nothing to save.
 */
import type { KnownStates, SeenState } from '../../../../platform/mariadb/index.ts';

/** An answer, and whether nothing is missing from it that was saved on any node of a cluster when
 *  it was asked for: snapshots may be behind for a moment. */
export interface Asked<T> {
  readonly value: T;
  readonly isUpToDate: boolean;
}

/** Rows of all answers. Full, it begins anew. */
const ROWS_MAX = 40_000;

export class RememberedAnswers<T extends readonly unknown[]> {
  readonly #states: KnownStates | undefined;
  /** Of one state of the database: the last that was seen. */
  readonly #answers = new Map<string, T>();
  #rowCount = 0;
  #state: SeenState | undefined;

  constructor(states: KnownStates | undefined) {
    this.#states = states;
  }

  /** `sinceMs`: see ReadOptions. Lists that are given out are remembered too: nobody may change
   *  them. @throws as `ask`. */
  async answer(
    sinceMs: number | undefined, keyOf: () => string, ask: () => Promise<Asked<T>>,
  ): Promise<T> {
    const state = sinceMs === undefined ? undefined
      : this.#states?.stateAfter('writer_turn', sinceMs);
    if (state === undefined) return (await ask()).value;
    this.#see(state);
    const key = keyOf();
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const { value, isUpToDate } = await ask();
    if (isUpToDate && isSame(this.#state, state)) this.#remember(key, value);
    return value;
  }

  /** States come in the order in which they were asked for. */
  #see(state: SeenState): void {
    if (isSame(this.#state, state)) return;
    this.#state = state;
    this.#forget();
  }

  #forget(): void {
    this.#answers.clear();
    this.#rowCount = 0;
  }

  #remember(key: string, answer: T): void {
    if (this.#rowCount + answer.length >= ROWS_MAX) this.#forget();
    this.#answers.set(key, answer);
    this.#rowCount += 1 + answer.length;
  }
}

function isSame(one: SeenState | undefined, other: SeenState): boolean {
  return one?.connection === other.connection && one.turn === other.turn;
}
