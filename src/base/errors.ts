/** How a caller should react. A closed set: a new kind means a new line in every status table. */
export type ErrorKind =
  | 'not-found' // What was named is not there.
  | 'exists' // Something is already there under that name.
  | 'conflict' // The tree's state forbids it: parent missing, name clash, cycle.
  | 'precondition' // A condition that the caller set no longer holds.
  | 'locked' // Somebody's lock covers it and its token was not shown.
  | 'unauthenticated' // Who are you?
  | 'denied' // We know who you are: no.
  | 'invalid' // The request itself is wrong; the same one will never succeed.
  | 'too-large' // Over a stated limit.
  | 'quota' // The space's owner has no room left.
  | 'full' // The machine has no room left: reads and deletes only.
  | 'busy' // Try again shortly.
  | 'unavailable' // Something it depends on cannot be reached.
  | 'corrupt' // Stored bytes are not what was stored.
  | 'internal'; // A bug, or a disk that lies.

export interface FaultOptions {
  /** A stable word for programs, for example `parent-missing`. */
  code?: string;
  facts?: Readonly<Record<string, string | number>>;
  cause?: unknown;
}

/** The only error that crosses a module's door. `cause` keeps what the library underneath said. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';

  readonly kind: ErrorKind;
  /** Module and method, for example `storage/BlockStore.get`. */
  readonly op: string;
  readonly code: string | undefined;
  /** Ids and numbers for the operator. Never file names, tokens or content. */
  readonly facts: Readonly<Record<string, string | number>>;

  /** `message` is shown to users: it says what to do, and names no file, token or content. */
  constructor(kind: ErrorKind, op: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.op = op;
    this.code = options.code;
    this.facts = options.facts ?? {};
  }

  /** True when the same call, made later and unchanged, may succeed. */
  get retryable(): boolean {
    return this.kind === 'busy' || this.kind === 'unavailable';
  }
}

export function isKind(error: unknown, kind: ErrorKind): error is HoldfastError {
  return error instanceof HoldfastError && error.kind === kind;
}

/** A HoldfastError as plain data, to cross a thread. The cause stays behind as its message. */
export interface FaultData {
  kind: ErrorKind;
  op: string;
  message: string;
  code?: string;
  facts: Readonly<Record<string, string | number>>;
}

export function faultToData(error: unknown, op: string): FaultData {
  if (error instanceof HoldfastError) {
    const { kind, code, facts, message } = error;
    return { kind, op: error.op, message, ...(code !== undefined && { code }), facts };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'internal', op, message: 'An internal error.', facts: { cause: message } };
}

export function faultFromData(data: FaultData): HoldfastError {
  const { kind, op, message, code, facts } = data;
  return new HoldfastError(kind, op, message, { ...(code !== undefined && { code }), facts });
}
