/** Plants faults in the metadata of a canary: what a bug in the program, or a hand, might do. */
import Database from 'better-sqlite3';
import type { MetadataEdits } from '../../prove/canary-backends.ts';

const OF_NODE = 'space_id = ? AND node_id = ?';

export function editSqliteMetadata(file: string): MetadataEdits {
  const change = (sql: string, ...values: readonly (number | Buffer)[]): void => {
    const database = new Database(file, { fileMustExist: true });
    try {
      const { changes } = database.prepare(sql).run(...values);
      if (changes === 0) throw new Error('a planted fault changed nothing');
    } finally {
      database.close();
    }
  };
  return {
    setManifest: ({ spaceId, nodeId }, manifest) => {
      change(`UPDATE version SET manifest = ? WHERE ${OF_NODE}`,
        Buffer.from(manifest), spaceId, nodeId);
    },
    dropVersion: ({ spaceId, nodeId }) => {
      change(`DELETE FROM version WHERE ${OF_NODE}`, spaceId, nodeId);
    },
    dropNode: ({ spaceId, nodeId }) => {
      change('DELETE FROM node WHERE space_id = ? AND id = ?', spaceId, nodeId);
    },
    dropEvent: (spaceId, rev) => {
      change('DELETE FROM event WHERE space_id = ? AND rev = ?', spaceId, rev);
    },
    setFromRev: ({ spaceId, nodeId }, rev) => {
      change('UPDATE node SET rev_from = ? WHERE space_id = ? AND id = ?', rev, spaceId, nodeId);
    },
    setFolderBytes: (spaceId, sizeBytes) => {
      change('UPDATE folder SET size_bytes = ? WHERE space_id = ?', sizeBytes, spaceId);
    },
  };
}
