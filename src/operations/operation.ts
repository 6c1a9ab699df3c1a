/** What an operator can have done by a running server, or by a command when no server runs. */

/** Plain data: it crosses from process to process as JSON. */
export type Plain =
  | string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };
export type PlainRecord = Readonly<Record<string, Plain>>;

export interface OperationContext {
  /** Tells how far long work has come. May be called often; only the newest news count. */
  readonly progress: (news: PlainRecord) => void;
  /** Fires when whoever asked has gone away, or the server stops. */
  readonly signal: AbortSignal;
}

/** @throws HoldfastError; `invalid` for input that makes no sense. */
export type Operation = (input: PlainRecord, context: OperationContext) => Promise<PlainRecord>;

/** By name, such as `disk.drain`. */
export type Operations = Readonly<Record<string, Operation>>;
