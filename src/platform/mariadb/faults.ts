/** What a MariaDB or MySQL server's errors, and those of the way to it, mean to a caller. */
import { HoldfastError, faultToData } from '../../base/errors.ts';
import type { ErrorKind, FaultData } from '../../base/errors.ts';
import { SqlRefusal } from '../sql/sql-refusal.ts';

/** How a store speaks of its database. */
export interface DatabaseWords {
  op: string;
  /** For example `metadata database`. */
  database: string;
}

/** An error as the driver gives it, as plain data. */
export interface ServerFault {
  /** For example `ER_LOCK_DEADLOCK` or `ECONNREFUSED`. */
  code: string;
  /** The server's own number; 0 for an error of the way to it. */
  errno: number;
  message: string;
  /** Whether the connection is of no more use. */
  isLost: boolean;
}

/** An error of the server or of the way to it. It stays within the store. */
export class ServerError extends Error {
  readonly fault: ServerFault;

  constructor(fault: ServerFault, cause?: unknown) {
    super(fault.message, cause === undefined ? undefined : { cause });
    this.name = 'ServerError';
    this.fault = fault;
  }
}

/** It was not tried again, as the process has tried too much again lately. */
export class RetriesSpent extends ServerError {}

/** Our own numbers. The guard of statements has said no, see src/platform/sql/; */
const REFUSED = 100_000;
/** the server's certificate is not one to be trusted; */
const UNTRUSTED = 100_001;
/** it offers no encryption. */
const UNENCRYPTED = 100_002;
/** Said by the triggers of a database that is left: see src/tables/stores/mariadb. A server takes
 *  no number above 65535 from them. */
export const FENCED = 45_000;
/** Another database, or an older state of it, is where one was: see known-database.ts. */
export const CHANGED = 100_003;
export const LOCK_WAIT = 1205;
export const DEADLOCK = 1213;
const NOT_PREPARED = 1047; // Galera: this node is not, or no longer, part of the cluster.
const ERROR_DURING_COMMIT = 1180;
/** A server with a binary log lets users with few rights make triggers only when it was told so. */
const NO_TRIGGERS = 1419;
/** MySQL's. A statement took too long, as MariaDB's 1969; */
const QUERY_TIMEOUT = 3024;
/** another node of its group has changed the same row, so the transaction was undone; */
const UNDONE_AT_COMMIT = 3101;
/** the connection was silent for too long, or somebody has ended it. */
const ENDED: readonly number[] = [3169, 4031];
/** The server stops, has stopped the connection, or the user's statement; or, with Galera, the node
 *  was cut off: another one may be worked on. */
const STOPPED: readonly number[] = [
  NOT_PREPARED, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, ...ENDED,
];
const LOST_CODES = /^(E(CONN|PIPE|HOST|NET|TIMEDOUT|NOENT|AI_AGAIN)|PROTOCOL_|ENOTFOUND)/;

/** Nothing passes by itself here: whoever waits for it waits for ever. */
const SETTLED: readonly number[] = [
  1044, 1045, 1049, 1142, 1143, 1227, 1370, 1698, NO_TRIGGERS, UNTRUSTED,
  UNENCRYPTED,
];

const NO_CHANGES = 'The {database} takes no changes any more: it was carried to files by holdfast '
  + 'database move, or is just being carried. Begin anew with the settings that hold now. Nothing '
  + 'was changed.';

const KINDS: readonly (readonly [errnos: readonly number[], kind: ErrorKind, words: string])[] = [
  [[1021, 1114, 1041, 28], 'full', 'The disk of the {database} is full. Make room first.'],
  [[LOCK_WAIT, DEADLOCK, 1040, 1203, 1969, QUERY_TIMEOUT], 'busy',
    'The {database} is busy. Try again shortly.'],
  [[1034, 1035, 1712, 1194, 1195], 'corrupt',
    'The {database} is damaged. Restore it from a backup.'],
  [[1044, 1045, 1142, 1143, 1227, 1370, 1698], 'unavailable',
    'The {database} does not let this server in{who}. Check its user, password and rights: '
    + 'docs/mariadb-users.md.'],
  [[NO_TRIGGERS], 'unavailable', 'The server of the {database} keeps a binary log, and lets '
    + 'triggers be made only with log_bin_trust_function_creators = ON: docs/mariadb-users.md. Run '
    + 'SET GLOBAL log_bin_trust_function_creators = ON; and write it into the server\'s option '
    + 'file.'],
  [[FENCED], 'unavailable', NO_CHANGES],
  [[1175], 'internal', 'The {database} has refused a statement that searches no key. Nothing was '
    + 'changed; please report this.'],
  [[UNTRUSTED], 'unavailable', 'The server of the {database} shows a certificate that is not to be '
    + 'trusted: of another authority than database.tls_ca_path has, for other names than '
    + 'database.url says, or out of date.'],
  [[UNENCRYPTED], 'unavailable', 'The server of the {database} offers no encryption, and '
    + 'database.tls_ca_path asks for it. Give it a certificate (ssl_cert, ssl_key).'],
  [[1054, 1146], 'internal', 'The {database} lacks a table or a column that it should have. Which '
    + 'one, and on which shard, says: holdfast schema drift'],
  [[1049], 'unavailable', 'There is no such {database}. Check its name.'],
  [[1290, 1792, 1836], 'unavailable', 'The {database} cannot be written.'],
  [[1153], 'too-large', 'This is more than the {database} takes at once.'],
];

export function serverFault(error: unknown): ServerFault | undefined {
  if (error instanceof ServerError) return error.fault;
  if (error instanceof SqlRefusal) {
    return { code: 'statement-refused', errno: REFUSED, message: error.message, isLost: false };
  }
  if (!(error instanceof Error) || error instanceof HoldfastError) return undefined;
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const code = codeOf(error, errno);
  if (code === undefined) {
    // The driver's word for a connection that it had given up before it was used again.
    const isOver = 'fatal' in error && error.fatal === true;
    return isOver ? { code: 'ECLOSED', errno: 0, message: error.message, isLost: true } : undefined;
  }
  const isServers = errno > 0 && !LOST_CODES.test(code);
  const isLost = !isServers || STOPPED.includes(errno)
    || ('fatal' in error && error.fatal === true);
  const number = isServers ? errno : encryptionProblem(code, error.message);
  return { code, errno: number, message: error.message, isLost };
}

/** The driver has names for the numbers of MySQL, and not for all of MariaDB's. */
function codeOf(error: Error, errno: number): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  return errno > 0 ? `ER_${errno}` : undefined;
}

/** The driver gives everything one code that fails while encryption is begun: a network that breaks
 *  then is no reason to give up. */
function encryptionProblem(code: string, message: string): number {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return UNENCRYPTED;
  return code === 'HANDSHAKE_SSL_ERROR' && /certificate/i.test(message) ? UNTRUSTED : 0;
}

/** Whether the same work may succeed when it is done anew, on this or another node. */
export function isPassing({ errno, isLost }: ServerFault): boolean {
  return isLost || errno === LOCK_WAIT || errno === DEADLOCK || errno === NOT_PREPARED
    || errno === ERROR_DURING_COMMIT || errno === UNDONE_AT_COMMIT;
}

/** Whether another transaction came first, so that this one was undone: it may be made anew at
 *  once, and is not less likely to be first then. */
export function isBeaten(error: unknown): boolean {
  const isOne = (each: unknown): boolean => serverFault(each)?.errno === DEADLOCK;
  return isOne(error) || (error instanceof ServerError && isOne(error.cause));
}

/** Whether after this answer to COMMIT nobody knows if it was done: after any that the server gave.
 *  A node of a cluster answers with a deadlock, or that the statement took too long, also when it
 *  could not do at once what all have agreed to. */
export function isOutcomeUnknown({ errno }: ServerFault): boolean {
  return errno !== REFUSED;
}

export function toFault(error: unknown, words: DatabaseWords): FaultData {
  const found = plainFault(error, words);
  return error instanceof RetriesSpent ? { ...found, code: 'database-retries-spent' } : found;
}

function plainFault(error: unknown, { op, database }: DatabaseWords): FaultData {
  const fault = serverFault(error);
  if (fault === undefined) return faultToData(error, op);
  const { code, errno } = fault;
  const facts = { server: code };
  if (errno === REFUSED) return { kind: 'internal', op, message: fault.message, facts };
  if (errno === CHANGED) {
    const message = `The ${database} ${fault.message}`;
    return { kind: 'unavailable', op, message, facts, code: 'database-changed' };
  }
  const known = KINDS.find(([errnos]) => errnos.includes(errno));
  if (known !== undefined) {
    const [, kind, words] = known;
    const special = SETTLED.includes(errno) ? { code: 'database-refused' }
      : errno === FENCED && { code: 'database-left' };
    const message = words.replace('{database}', database).replace('{who}', whoOf(fault));
    const cause = kind === 'internal' && { cause: fault.message };
    return { kind, op, message, facts: { ...facts, ...cause }, ...special };
  }
  if (isPassing(fault)) {
    const message = `The ${database} cannot be reached. Try again shortly.`;
    return { kind: 'unavailable', op, message, facts, code: 'database-away' };
  }
  return { kind: 'internal', op, message: 'An internal error.',
    facts: { ...facts, cause: fault.message } };
}

/** With several users and rights, which of them it is about. */
function whoOf({ message }: ServerFault): string {
  const [, right, user] = /^(?:(\w+) command )?denied (?:to|for) user '([\w.-]+)'@/i
    .exec(message.replace(/^Access /, '')) ?? [];
  if (user === undefined) return '';
  return right === undefined ? ` as ${user}` : ` as ${user}, who lacks the right ${right}`;
}

/** What crosses the door is a HoldfastError. */
export function explainedFault(error: unknown, words: DatabaseWords): unknown {
  if (error instanceof HoldfastError || serverFault(error) === undefined) return error;
  const { kind, message, facts, code } = toFault(error, words);
  return new HoldfastError(kind, words.op, message, {
    ...(code !== undefined && { code }), facts, cause: error,
  });
}
