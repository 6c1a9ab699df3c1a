/** Settings of the server that our promises rest on, read at every start: see ADR 0040. */
import { HoldfastError } from '../../base/errors.ts';
import type { Session } from './session.ts';

/** The largest statement is a batch of manifests: see ROWS_BYTES_MAX. */
const PACKET_BYTES_MIN = 16 * 1024 * 1024;

export interface ServerSettings {
  version: string;
  flushAtCommit: number;
  doublewrite: string;
  isBinlogOn: boolean;
  syncBinlog: number;
  sqlMode: string;
  timeZone: string;
  packetBytesMax: number;
  pageBytes: number;
}

export async function readSettings(session: Session): Promise<ServerSettings> {
  const { rows } = await session.run(`SELECT VERSION(),
    @@global.innodb_flush_log_at_trx_commit, @@global.innodb_doublewrite, @@global.log_bin,
    @@global.sync_binlog, @@session.sql_mode, @@session.time_zone, @@global.max_allowed_packet,
    @@global.innodb_page_size`);
  const [version, flush, doublewrite, logBin, syncBinlog, sqlMode, timeZone, packet, page]
    = rows[0] ?? [];
  return {
    version: String(version), flushAtCommit: Number(flush), doublewrite: String(doublewrite),
    isBinlogOn: Number(logBin) === 1, syncBinlog: Number(syncBinlog), sqlMode: String(sqlMode),
    timeZone: String(timeZone), packetBytesMax: Number(packet), pageBytes: Number(page),
  };
}

/** JSON_TABLE and recursion in statements came with these. */
function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  if (version.includes('MariaDB')) return major < 10 || (major === 10 && minor < 6);
  return major < 8;
}

/** What is unsafe, each with the setting to change; nothing, when all is well. */
export function unsafeSettings(found: ServerSettings): string[] {
  const wrong: string[] = [];
  if (isTooOld(found.version)) {
    wrong.push(`version ${found.version}: MariaDB 10.6 or MySQL 8.0 at least is needed`);
  }
  if (found.flushAtCommit !== 1) {
    wrong.push(`innodb_flush_log_at_trx_commit is ${found.flushAtCommit}: a power cut would lose `
      + 'what was acknowledged; set it to 1');
  }
  if (/^(0|OFF)$/i.test(found.doublewrite)) {
    wrong.push('innodb_doublewrite is off: a power cut could tear pages; set it to ON');
  }
  if (found.isBinlogOn && found.syncBinlog !== 1) {
    wrong.push(`sync_binlog is ${found.syncBinlog} with the binary log on: after a power cut `
      + 'replicas would differ; set it to 1');
  }
  if (!/STRICT_(ALL|TRANS)_TABLES/.test(found.sqlMode)) {
    wrong.push('sql_mode is not strict: what does not fit would be cut off; allow sessions to set '
      + 'STRICT_ALL_TABLES');
  }
  if (found.timeZone !== '+00:00') {
    wrong.push(`time_zone is ${found.timeZone}: allow sessions to set +00:00`);
  }
  if (found.packetBytesMax < PACKET_BYTES_MIN) {
    wrong.push(`max_allowed_packet is ${found.packetBytesMax}: set it to ${PACKET_BYTES_MIN} `
      + 'or more');
  }
  if (found.pageBytes < 16 * 1024) {
    wrong.push(`innodb_page_size is ${found.pageBytes}: keys do not fit; it must be 16384 or more`);
  }
  return wrong;
}

/** @throws invalid `metadata-unsafe-server`, with every reason at once. */
export function checkSettings(found: ServerSettings): void {
  const wrong = unsafeSettings(found);
  if (wrong.length === 0) return;
  throw new HoldfastError('invalid', 'metadata/MariadbMetadataStore.open',
    `The MariaDB server is not safe for metadata: ${wrong.join('. ')}.`,
    { code: 'metadata-unsafe-server' });
}
