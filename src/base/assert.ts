/** A broken invariant: a bug in Holdfast, never a caller's mistake. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stays on in production: on the write path a refused write is better than a lost one. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${invariant}`);
}

/** For the `default` of a switch over a closed union: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value: ${String(value)}`);
}
