import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { checkSettings, unsafeSettings } from './server-settings.ts';
import type { ServerSettings } from './server-settings.ts';

const SAFE: ServerSettings = {
  version: '10.11.19-MariaDB', flushAtCommit: 1, doublewrite: '1', isBinlogOn: false, syncBinlog: 0,
  sqlMode: 'STRICT_ALL_TABLES', timeZone: '+00:00', packetBytesMax: 16_777_216, pageBytes: 16_384,
};

/** What a MySQL of Debian unstable answers that was told nothing. */
const MYSQL: ServerSettings = {
  version: '9.7.4-2', flushAtCommit: 1, doublewrite: 'ON', isBinlogOn: true, syncBinlog: 1,
  sqlMode: 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  timeZone: '+00:00', packetBytesMax: 67_108_864, pageBytes: 16_384, isRedoLogOff: false,
};

const CLUSTER = { binlogFormat: 'ROW', autoincLockMode: 2, osuMethod: 'TOI' };

describe('The settings of a MariaDB server', () => {
  it('are safe as Debian delivers them, and with the binary log on if that is flushed', () => {
    checkSettings(SAFE);
    checkSettings({ ...SAFE, isBinlogOn: true, syncBinlog: 1 });
    checkSettings({ ...SAFE, version: '10.6.0-MariaDB', doublewrite: 'ON' });
    checkSettings({ ...SAFE, version: '11.8.6-MariaDB-ubu2404', doublewrite: 'ON' });
    checkSettings({ ...SAFE, cluster: CLUSTER });
  });

  it('are safe as MySQL 9.7 answers them', () => {
    for (const version of ['9.7.4-2', '8.0.17', '8.4.0-commercial']) {
      checkSettings({ ...MYSQL, version });
    }
  });

  const UNSAFE: readonly (readonly [change: Partial<ServerSettings>, word: string])[] = [
    [{ flushAtCommit: 2 }, 'innodb_flush_log_at_trx_commit'],
    [{ flushAtCommit: 0 }, 'innodb_flush_log_at_trx_commit'],
    [{ doublewrite: 'OFF' }, 'innodb_doublewrite'],
    [{ isBinlogOn: true, syncBinlog: 0 }, 'sync_binlog'],
    [{ sqlMode: '' }, 'sql_mode'],
    [{ timeZone: 'SYSTEM' }, 'time_zone'],
    [{ packetBytesMax: 1_048_576 }, 'max_allowed_packet'],
    [{ pageBytes: 8_192 }, 'innodb_page_size'],
    [{ version: '10.5.29-MariaDB' }, 'version'],
    [{ version: '5.7.44' }, 'version'],
    [{ version: '8.0.16' }, 'version'],
    [{ ...MYSQL, doublewrite: 'DETECT_ONLY' }, 'innodb_doublewrite'],
    [{ ...MYSQL, isRedoLogOff: true }, 'innodb_redo_log_enabled'],
    [{ ...MYSQL, cluster: CLUSTER }, 'wsrep_on'],
    [{ cluster: { ...CLUSTER, binlogFormat: 'MIXED' } }, 'binlog_format'],
    [{ cluster: { ...CLUSTER, autoincLockMode: 1 } }, 'innodb_autoinc_lock_mode'],
    [{ cluster: { ...CLUSTER, osuMethod: 'RSU' } }, 'wsrep_osu_method'],
  ];

  for (const [change, word] of UNSAFE) {
    it(`are refused, with the name of the setting: ${JSON.stringify(change)}`, () => {
      const reasons = unsafeSettings({ ...SAFE, ...change });
      assert.equal(reasons.length, 1);
      assert.match(reasons[0] ?? '', new RegExp(`^${word}`));
    });
  }

  it('are said to be below the name that the server reads', () => {
    const reasonOf = (found: ServerSettings): string | undefined =>
      unsafeSettings({ ...found, doublewrite: 'OFF' })[0];
    assert.match(reasonOf(SAFE) ?? '', /below \[mariadbd\]/);
    assert.match(reasonOf(MYSQL) ?? '', /below \[mysqld\]/);
  });

  it('are refused with all reasons at once', () => {
    const found = { ...SAFE, flushAtCommit: 0, packetBytesMax: 1 };
    assert.throws(() => checkSettings(found), (error) =>
      isKind(error, 'invalid') && error.message.includes('innodb_flush_log_at_trx_commit')
        && error.message.includes('max_allowed_packet'));
  });
});
