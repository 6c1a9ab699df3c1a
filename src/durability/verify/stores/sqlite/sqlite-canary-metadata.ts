/** The metadata of canaries in files, each in the canary's own folder. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { MetadataStore } from '../../../../metadata/index.ts';
import { isThere } from '../../../../platform/index.ts';
import type { CanaryMetadata, MetadataEdits } from '../../prove/canary-backends.ts';
import { SqliteJournalSource } from './sqlite-journal-source.ts';
import { SqliteManifestSource } from './sqlite-manifest-source.ts';

const OF_NODE = 'space_id = ? AND node_id = ?';
/** The file itself, its log and the index of that. */
const PARTS = ['', '-wal', '-shm'];
/** Mostly they wait for the disk. */
const LANE_COUNT = 4;

/** `open`: as the program opens its metadata. */
export function sqliteCanaryMetadata(
  open: (file: string) => Promise<MetadataStore>,
): CanaryMetadata {
  const opened = new Map<string, MetadataStore>();
  return {
    name: 'files', laneCount: LANE_COUNT,
    async open(file) {
      const store = await open(file);
      opened.set(file, store);
      return store;
    },
    async close(file) {
      await opened.get(file)?.close();
      opened.delete(file);
    },
    begin: () => Promise.resolve(), // The folder of an earlier proof is removed as a whole.
    end: () => Promise.resolve(),
    openSource: (file) => SqliteManifestSource.open(file),
    openJournal: (file) => SqliteJournalSource.open(file),
    edit: editSqliteMetadata,
    async copy(from, to) {
      await mkdir(dirname(to), { recursive: true });
      for (const part of PARTS) {
        if (await isThere(`${from}${part}`)) await copyFile(`${from}${part}`, `${to}${part}`);
      }
    },
    async drop(file) {
      for (const part of PARTS) await rm(`${file}${part}`, { force: true });
    },
    // Log and index belong to whoever has the database open.
    fingerprint: async (file) => createHash('sha256').update(await readFile(file)).digest('hex'),
  };
}

/** What a bug in the program, or a hand, might do. */
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
