/** Which spaces have changed lately, told from one web node to the others. */

export interface HintPage {
  /** Each once. */
  readonly spaces: readonly number[];
  /** To be given to the next `read`. */
  readonly next: number;
}

/**
 * Hints only: they may come late, twice, or never, when the one that would have told has died. The
 * truth is in the journals of the spaces.
 *
 * All methods may run concurrently, of any number of processes. Errors: `unavailable` and `busy`
 * from every method; doing it again is right.
 */
export interface ChangeHints {
  /** These spaces have changed here. */
  tell(spaces: readonly number[]): Promise<void>;
  /** What was told, by this one too, since what `after` stands for; undefined: nothing yet, only
   *  where to begin. */
  read(after: number | undefined): Promise<HintPage>;
  /** Forgets what is old enough for everybody to have read it. */
  prune(): Promise<void>;
  /** Calm when called twice. From then on every method is refused with `unavailable`. */
  close(): Promise<void>;
}
