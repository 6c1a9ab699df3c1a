/** Lets somebody outside look on while users write, to read it back later. */

/** One write that is being looked at. Neither method may throw. */
export interface WriteSample {
  /** The bytes as the user sent them, in order. */
  update(piece: Uint8Array): void;
  /** The write was acknowledged; `FileService.readBack` finds it again by the address. */
  finish(address: string): void;
}

export interface WriteWatch {
  /** For each write, before its first byte; undefined: this one is of no interest. */
  begin(): WriteSample | undefined;
}
