/** How the register of disks says where a disk is. */
import { resolve } from 'node:path';

/** `filer:HOST:PORT/DISK`. */
const ON_FILER = /^filer:(.+)\/([0-9a-f-]{36})$/;

/** Undefined: a folder of this machine. */
export function parseFilerPlace(where: string): { address: string; diskId: string } | undefined {
  const [, address, diskId] = ON_FILER.exec(where) ?? [];
  return address === undefined || diskId === undefined ? undefined : { address, diskId };
}

/** The data directory may be moved, and its own disk goes with it: that one's place is relative. */
export function folderOfDisk(dataPath: string, where: string): string {
  return resolve(dataPath, where);
}
