import type {
  DiskSpace, OpenMode, VolumeFile, VolumeFiles,
} from '../../backends/local/volume-files.ts';
import type { DiskLink } from '../disk-link.ts';
import { FileLeg } from '../file-leg.ts';

/** The files of one disk, each call with the disk's deadline. */
export class LinkFiles implements VolumeFiles {
  readonly #link: DiskLink;

  constructor(link: DiskLink) {
    this.#link = link;
  }

  list(): Promise<string[]> {
    return this.#link.call(0, (files) => files.list());
  }

  prepare(): Promise<void> {
    return this.#link.call(0, (files) => files.prepare());
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    return legFile(new FileLeg(this.#link, await this.#link.open(name, how)));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#link.call(0, (files) => files.rename(from, to));
  }

  remove(name: string): Promise<void> {
    return this.#link.call(0, (files) => files.remove(name));
  }

  syncFolder(): Promise<void> {
    return this.#link.call(0, (files) => files.syncFolder());
  }

  space(): Promise<DiskSpace> {
    return this.#link.call(0, (files) => files.space());
  }
}

function legFile(leg: FileLeg): VolumeFile {
  /** What the next sync has to carry to the disk. */
  let unsyncedBytes = 0;
  const sync = (act: (file: VolumeFile) => Promise<void>): Promise<void> => {
    const lengthBytes = unsyncedBytes;
    unsyncedBytes = 0;
    return leg.run(lengthBytes, act);
  };
  const lengthOf = (pieces: readonly Uint8Array[]): number =>
    pieces.reduce((sum, { length }) => sum + length, 0);
  return {
    size: () => leg.run(0, (file) => file.size()),
    read: (into, position) => leg.read(into, position),
    write: (pieces, position) => {
      unsyncedBytes += lengthOf(pieces);
      return leg.run(lengthOf(pieces), (file) => file.write(pieces, position));
    },
    writeDurably: (pieces, position) =>
      leg.run(lengthOf(pieces), (file) => file.writeDurably(pieces, position)),
    datasync: () => sync((file) => file.datasync()),
    sync: () => sync((file) => file.sync()),
    truncate: (sizeBytes) => leg.run(0, (file) => file.truncate(sizeBytes)),
    close: () => leg.close(),
  };
}
