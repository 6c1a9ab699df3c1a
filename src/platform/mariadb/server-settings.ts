/** Settings of the server that our promises rest on, read at every start: see ADR 0040. */
import { HoldfastError } from '../../base/errors.ts';
import { isMariadb } from './dialect.ts';
import { namedSql } from './named-sql.ts';
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
  /** MySQL can be told to write none: then a server that is killed has lost everything. */
  isRedoLogOff?: boolean;
  /** Only of a server that is one of a Galera cluster. */
  cluster?: ClusterSettings;
}

export interface ClusterSettings {
  binlogFormat: string;
  autoincLockMode: number;
  osuMethod: string;
}

const GET_SETTINGS = namedSql('getServerSettings', `SELECT VERSION(),
    @@global.innodb_flush_log_at_trx_commit, @@global.innodb_doublewrite, @@global.log_bin,
    @@global.sync_binlog, @@session.sql_mode, @@session.time_zone, @@global.max_allowed_packet,
    @@global.innodb_page_size`, { owner: 'session', tables: new Map() }).text;

const GET_CLUSTER_SETTINGS = namedSql('getClusterSettings', `SHOW GLOBAL VARIABLES
    WHERE Variable_name IN ('wsrep_on', 'wsrep_provider', 'binlog_format',
      'innodb_autoinc_lock_mode', 'wsrep_osu_method')`,
{ owner: 'session', tables: new Map() }).text;

const GET_REDO_LOG = namedSql('getRedoLog', `SHOW GLOBAL STATUS
    WHERE Variable_name IN ('Innodb_redo_log_enabled')`,
{ owner: 'session', tables: new Map() }).text;

async function readClusterSettings(session: Session): Promise<ClusterSettings | undefined> {
  const { rows } = await session.run(GET_CLUSTER_SETTINGS);
  const found = new Map(rows.map(([name, value]) => [String(name).toLowerCase(), String(value)]));
  const isClustered = found.get('wsrep_on') === 'ON' && found.get('wsrep_provider') !== 'none';
  return isClustered ? {
    binlogFormat: found.get('binlog_format') ?? '',
    autoincLockMode: Number(found.get('innodb_autoinc_lock_mode')),
    osuMethod: found.get('wsrep_osu_method') ?? '',
  } : undefined;
}

export async function readSettings(session: Session): Promise<ServerSettings> {
  const { rows } = await session.run(GET_SETTINGS);
  const [version, flush, doublewrite, logBin, syncBinlog, sqlMode, timeZone, packet, page]
    = rows[0] ?? [];
  const cluster = await readClusterSettings(session);
  const { rows: [[, redoLog] = []] } = await session.run(GET_REDO_LOG);
  return {
    version: String(version), flushAtCommit: Number(flush), doublewrite: String(doublewrite),
    isBinlogOn: Number(logBin) === 1, syncBinlog: Number(syncBinlog), sqlMode: String(sqlMode),
    timeZone: String(timeZone), packetBytesMax: Number(packet), pageBytes: Number(page),
    isRedoLogOff: redoLog === 'OFF', ...(cluster !== undefined && { cluster }),
  };
}

/** JSON_TABLE and recursion in statements came with these, and with MySQL's a collation that
 *  compares names byte by byte, blanks included. */
function isTooOld(version: string): boolean {
  const oldest = isMariadb(version) ? [10, 6, 0] : [8, 0, 17];
  const found = version.split('.').map((part) => Number.parseInt(part, 10));
  const at = oldest.findIndex((part, place) => part !== found[place]);
  return at >= 0 && (found[at] ?? 0) < (oldest[at] ?? 0);
}

/** What is unsafe, each with what to set; nothing, when all is well. */
export function unsafeSettings(found: ServerSettings): string[] {
  const wrong: string[] = [];
  const { only, both } = remediesFor(found);
  const say = (what: string, why: string, remedy: string): void => {
    wrong.push(`${what}: ${why}. ${remedy}`);
  };
  if (isTooOld(found.version)) {
    say(`version is ${found.version}`, 'statements that are needed are not known there',
      'Install MariaDB 10.6 or MySQL 8.0.17, or a later version.');
  }
  if (found.flushAtCommit !== 1) {
    say(`innodb_flush_log_at_trx_commit is ${found.flushAtCommit}`,
      'a power cut would lose what was acknowledged', both('innodb_flush_log_at_trx_commit', 1));
  }
  // MySQL's DETECT_ONLY knows a torn page when it sees one, and cannot mend it.
  if (/^(0|OFF|DETECT_ONLY)$/i.test(found.doublewrite)) {
    say(`innodb_doublewrite is ${found.doublewrite}`, 'a power cut could tear pages',
      only('innodb_doublewrite = ON'));
  }
  if (found.isRedoLogOff === true) {
    say('innodb_redo_log_enabled is OFF', 'a server that is killed would lose everything',
      'Run ALTER INSTANCE ENABLE INNODB REDO_LOG;');
  }
  if (found.isBinlogOn && found.syncBinlog !== 1) {
    say(`sync_binlog is ${found.syncBinlog} with the binary log on`,
      'after a power cut replicas would differ', both('sync_binlog', 1));
  }
  if (!/STRICT_(ALL|TRANS)_TABLES/.test(found.sqlMode)) {
    say('sql_mode is not strict', 'what does not fit would be cut off',
      'Something between the two does not let sessions set it: SET SESSION sql_mode = '
      + '\'STRICT_ALL_TABLES\' must have an effect.');
  }
  if (found.timeZone !== '+00:00') {
    say(`time_zone is ${found.timeZone}`, 'times would shift',
      'Something between the two does not let sessions set it: SET SESSION time_zone = \'+00:00\' '
      + 'must have an effect.');
  }
  if (found.packetBytesMax < PACKET_BYTES_MIN) {
    say(`max_allowed_packet is ${found.packetBytesMax}`, 'large files have larger rows',
      both('max_allowed_packet', PACKET_BYTES_MIN));
  }
  if (found.pageBytes < 16 * 1024) {
    say(`innodb_page_size is ${found.pageBytes}`, 'keys do not fit into less than 16384',
      'It is chosen when a server is made: make one with 16384.');
  }
  if (found.cluster !== undefined) wrong.push(...unsafeInCluster(found, found.cluster));
  return wrong;
}

/** What nodes of a Galera cluster need, so that they do not come to differ. */
function unsafeInCluster(
  found: ServerSettings, { binlogFormat, autoincLockMode, osuMethod }: ClusterSettings,
): string[] {
  const wrong: string[] = [];
  const { only } = remediesFor(found);
  if (!isMariadb(found.version)) {
    wrong.push(`wsrep_on is ON with version ${found.version}: only MariaDB's Galera clusters can `
      + 'be asked for what another node has just saved. Use one of those, or a server that stands '
      + 'alone.');
  }
  if (binlogFormat !== 'ROW') {
    wrong.push(`binlog_format is ${binlogFormat}: the nodes of a cluster would come to differ. `
      + only('binlog_format = ROW'));
  }
  if (autoincLockMode !== 2) {
    wrong.push(`innodb_autoinc_lock_mode is ${autoincLockMode}: nodes of a cluster would wait for `
      + `each other for ever. ${only('innodb_autoinc_lock_mode = 2')}`);
  }
  if (osuMethod !== 'TOI') {
    wrong.push(`wsrep_osu_method is ${osuMethod}: tables would be altered on one node alone. `
      + only('wsrep_osu_method = TOI'));
  }
  return wrong;
}

interface Remedies {
  /** What takes effect at once, and again after the server's next start. */
  readonly both: (name: string, value: number) => string;
  readonly only: (line: string) => string;
}

function remediesFor({ version }: ServerSettings): Remedies {
  const group = isMariadb(version) ? '[mariadbd]' : '[mysqld]';
  return {
    both: (name, value) => `Run SET GLOBAL ${name} = ${value}; and write ${name} = ${value} below `
      + `${group} in its option file.`,
    only: (line) => `Write ${line} below ${group} in its option file, and start the server again.`,
  };
}

/** @throws invalid `metadata-unsafe-server`, with every reason at once. */
export function checkSettings(found: ServerSettings): void {
  const wrong = unsafeSettings(found);
  if (wrong.length === 0) return;
  throw new HoldfastError('invalid', 'metadata/MariadbMetadataStore.open',
    `The database server is not safe for metadata:\n${wrong.map((line) => `  ${line}\n`).join('')}`
    + 'Nothing was changed. See docs/mariadb.md.',
    { code: 'metadata-unsafe-server' });
}
