/** Webhooks on MariaDB, in the directory database: docs/formats/webhooks.md. */
import { keysOf, namedTable } from '../../../platform/mariadb/index.ts';
import { PER_USER_MAX, WEBHOOKS_MAX } from '../../webhook.ts';

const NUMBER = 'BIGINT NOT NULL';

export const WEBHOOK_TABLES: Readonly<Record<string, string>> = {
  webhook: `id VARCHAR(64) NOT NULL, owner VARCHAR(255) NOT NULL, made_at ${NUMBER}, rev ${NUMBER},
    sealed TEXT NOT NULL, body LONGTEXT NOT NULL, PRIMARY KEY (id),
    KEY webhook_by_owner (owner, made_at)`,
};

const ROW = 'id, rev, sealed, body';

export const WEBHOOK_SQL = namedTable({
  listWebhooks: `SELECT ${ROW} FROM webhook WHERE owner = ? ORDER BY made_at, id`,
  listRevs: 'SELECT id, rev FROM webhook',
  findWebhook: `SELECT ${ROW} FROM webhook WHERE id = ?`,
  lockWebhook: `SELECT ${ROW} FROM webhook WHERE id = ? FOR UPDATE`,
  /** Moved here from a server's folder: the limits held there. */
  takeWebhook: `INSERT IGNORE INTO webhook (id, owner, made_at, rev, sealed, body)
    VALUES (@id, @owner, @made, 1, @sealed, @body)`,
  addWebhook: `INSERT INTO webhook (id, owner, made_at, rev, sealed, body)
    SELECT @id, @owner, @made, 1, @sealed, @body FROM DUAL
    WHERE (SELECT COUNT(*) FROM webhook WHERE owner = @owner) < ${PER_USER_MAX}
      AND (SELECT COUNT(*) FROM webhook) < ${WEBHOOKS_MAX}`,
  changeWebhook: 'UPDATE webhook SET body = @body, rev = rev + 1 WHERE id = @id',
  deleteWebhook: 'DELETE FROM webhook WHERE id = ?',
}, {
  owner: 'webhooks', tables: keysOf(WEBHOOK_TABLES), rows: { addWebhook: 1 },
  withoutKey: { addWebhook: 'the one row that it is given, or none' },
});
