import { HoldfastError } from '../../base/errors.ts';

/** Which filer has which disk, over all filers of a coordinator: one disk is in one place. */
export class DiskClaims {
  readonly #disksOf = new Map<string, ReadonlySet<string>>();

  /** What that filer has now, instead of what it had before. */
  claim(filerId: string, diskIds: readonly string[]): void {
    this.#disksOf.set(filerId, new Set(diskIds));
  }

  release(filerId: string): void {
    this.#disksOf.delete(filerId);
  }

  /** True when two filers say that they have it: then one is a copy, and neither is used, for
   *  nobody can tell which. A disk that was moved counts as one once its old filer has been
   *  reached without it, or was taken out. */
  isCloned(diskId: string): boolean {
    let places = 0;
    for (const disks of this.#disksOf.values()) if (disks.has(diskId)) places += 1;
    return places > 1;
  }
}

/** The same identity in two places. */
export function cloned(diskId: string): HoldfastError {
  const message = 'The same disk is there twice: one is a copy. Take one of the two away.';
  return new HoldfastError('conflict', 'storage/filer', message, {
    code: 'disk-cloned', facts: { diskId },
  });
}
