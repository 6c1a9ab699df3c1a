/** Plants faults in the metadata of a canary: what a bug in the program, or a hand, might do. */
import { withSession } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress, SqlValue } from '../../../../platform/mariadb/index.ts';
import type { MetadataEdits } from '../../prove/canary-backends.ts';

const OF_NODE = 'space_id = ? AND node_id = ?';

/** `address`: of the canary's own database. */
export function mariadbMetadataEdits(address: ServerAddress): MetadataEdits {
  const change = (sql: string, ...values: readonly SqlValue[]): Promise<void> =>
    withSession(address, 'schema', async (session) => {
      const { changes } = await session.execute(sql, values);
      if (changes === 0) throw new Error('a planted fault changed nothing');
    });
  return {
    setManifest: ({ spaceId, nodeId }, manifest) =>
      change(`UPDATE version SET manifest = ? WHERE ${OF_NODE}`, manifest, spaceId, nodeId),
    dropVersion: ({ spaceId, nodeId }) =>
      change(`DELETE FROM version WHERE ${OF_NODE}`, spaceId, nodeId),
    dropNode: ({ spaceId, nodeId }) =>
      change('DELETE FROM node WHERE space_id = ? AND id = ?', spaceId, nodeId),
    dropEvent: (spaceId, rev) =>
      change('DELETE FROM event WHERE space_id = ? AND rev = ?', spaceId, rev),
    setFromRev: ({ spaceId, nodeId }, rev) =>
      change('UPDATE node SET rev_from = ? WHERE space_id = ? AND id = ?', rev, spaceId, nodeId),
    setFolderBytes: (spaceId, sizeBytes) =>
      change('UPDATE folder SET size_bytes = ? WHERE space_id = ?', sizeBytes, spaceId),
  };
}
