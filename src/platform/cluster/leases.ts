/** What only one process of several may do at a time, and which of them does it. */

/** Somebody's right to do one thing for a while. */
export interface Lease {
  readonly name: string;
  /** The name of a node. Two processes never have the same one at a time. */
  readonly holder: string;
  /** Greater than that of every lease of this name before. */
  readonly epoch: number;
}

export interface LeaseRecord extends Lease {
  /** Until it has run out, by the clock of the store; 0 and less: it has. */
  readonly leftMs: number;
}

/**
 * Leases are kept where all nodes look, and judged by the clock there: those of nodes do not count.
 *
 * A lease runs out by itself, so its holder must have stopped before that, by a clock of its own
 * that never jumps (LeasedWork does that). A holder that was stopped in the middle, and goes on
 * later, cannot know that its lease is gone: what must not happen then asks `holds` right before,
 * or compares the epoch in the transaction that it writes.
 *
 * All methods may run concurrently, of any number of processes. Durability: an answer survives a
 * power cut. Errors: `unavailable` and `busy` from every method; nobody knows then whether it
 * was done, and doing it again is right.
 */
export interface Leases {
  /** Takes what nobody has, what has run out, and what this holder has already, with a new epoch:
   *  it may be another process of the same name. undefined: somebody else has it. */
  take(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;

  /** Has it last `ttlMs` from now on. False: it has run out, or somebody has taken it since. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;

  /** Others may take it at once. Calm when it is gone already. */
  release(lease: Lease): Promise<void>;

  /** Whether it is this one that counts now. */
  holds(lease: Lease): Promise<boolean>;

  /** All that were ever taken, by name. */
  list(): Promise<LeaseRecord[]>;

  /** Calm when called twice. From then on every method is refused with `unavailable`. */
  close(): Promise<void>;
}
