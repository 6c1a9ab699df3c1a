/**
 * Bugs that storage systems have had, put around the real parts. A simulator that does not find
 * them would not find them in the real parts either.
 */
import { BlockIndex } from '../../../src/storage/backends/local/block-index.ts';
import type { VolumeFile, VolumeFiles }
  from '../../../src/storage/backends/local/volume-files.ts';
import { VolumeCopies } from '../../../src/storage/replication/copy-table.ts';
import type { PlantedFaults } from './life.ts';
import type { Tape } from './tape.ts';

type FileChange = (file: VolumeFile, name: string) => Partial<VolumeFile>;

/** The same folder, with some methods of its files exchanged. */
function withFiles(files: VolumeFiles, change: FileChange): VolumeFiles {
  return {
    ...delegated(files),
    open: async (name, how) => {
      const file = await files.open(name, how);
      return { ...delegatedFile(file), ...change(file, name) };
    },
  };
}

function delegated(files: VolumeFiles): VolumeFiles {
  return {
    list: () => files.list(),
    prepare: () => files.prepare(),
    open: (name, how) => files.open(name, how),
    rename: (from, to) => files.rename(from, to),
    remove: (name) => files.remove(name),
    syncFolder: () => files.syncFolder(),
    space: () => files.space(),
  };
}

function delegatedFile(file: VolumeFile): VolumeFile {
  return {
    size: () => file.size(),
    read: (into, position) => file.read(into, position),
    write: (pieces, position) => file.write(pieces, position),
    datasync: () => file.datasync(),
    writeDurably: (pieces, position) => file.writeDurably(pieces, position),
    sync: () => file.sync(),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    close: () => file.close(),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

/** Answers success before the bytes are on the disk. */
function unsynced(files: VolumeFiles, isMeant: () => boolean = () => true): VolumeFiles {
  return withFiles(files, (file) => ({
    datasync: () => (isMeant() ? nothing() : file.datasync()),
    sync: () => (isMeant() ? nothing() : file.sync()),
    writeDurably: (pieces, position) =>
      (isMeant() ? file.write(pieces, position) : file.writeDurably(pieces, position)),
  }));
}

/** The second answer of a sync says nothing about the bytes of the first. */
function syncedAgain(files: VolumeFiles): VolumeFiles {
  return withFiles(files, (file) => {
    const again = (): Promise<void> => file.datasync().catch(() => file.datasync());
    return {
      datasync: again,
      sync: again,
      writeDurably: async (pieces, position) => {
        await file.write(pieces, position);
        await again();
      },
    };
  });
}

/** Where no sync fails none is tried again, and where all fail the second one does too. */
function hasSyncsThatFailOnce({ steps }: Tape): boolean {
  return steps.some((step) => step.do === 'trouble' && step.what === 'sync' && step.share < 1
    && step.how !== 'hang' && step.how !== 'slow');
}

/** Exchanges a method of a class while a history runs. */
function exchanged<T extends object, K extends keyof T>(
  prototype: T, method: K, change: (was: T[K]) => T[K],
): () => () => void {
  return () => {
    const was = prototype[method];
    prototype[method] = change(was);
    return () => {
      prototype[method] = was;
    };
  };
}

export const PLANTED: Readonly<Record<string, PlantedFaults>> = {
  'acknowledges before the sync': { wrapDisk: (files) => unsynced(files) },
  'tries a failed sync again and believes it': {
    wrapDisk: (files) => syncedAgain(files), matters: hasSyncsThatFailOnce,
  },
  'does not sync the folder': {
    wrapDisk: (files) => ({ ...delegated(files), syncFolder: nothing }),
  },
  'compacts, and points to copies that are not synced': {
    wrapDisk: (files, { isCompacting }) => unsynced(files, isCompacting),
  },
  'collects garbage without claims': {
    claim: () => ({ add: () => true, hold: () => true, release: () => undefined }),
  },
  'drops a condemned block although an upload has asked for it since': {
    install: exchanged(BlockIndex.prototype, 'touch', () =>
      function touch(this: BlockIndex, id, at) {
        return this.find(id, at);
      }),
  },
  'trusts a disk that was away': {
    install: exchanged(VolumeCopies.prototype, 'demote', (was) =>
      function demote(this: VolumeCopies, diskId, to) {
        return to === 'damaged' && was.call(this, diskId, to);
      }),
  },
  'acknowledges with one copy fewer than promised': {
    policy: (policy) => ({ ...policy, acksMin: Math.max(1, policy.acksMin - 1) }),
  },
};
