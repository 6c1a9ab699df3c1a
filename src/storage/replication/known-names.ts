/**
 * Names of the files on one disk, as last listed and changed since. A listing takes its time, and
 * what is made or removed meanwhile may be missing in it: such changes outlast it. Forgotten, a new
 * volume would get its name on some of its disks only, and count fewer copies than wanted.
 */
export class KnownNames implements Iterable<string> {
  #names = new Set<string>();
  /** Since the oldest listing that is under way began: whether the file is there. */
  readonly #changes = new Map<string, boolean>();
  #listings = 0;

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Once the file is there. */
  add(name: string): void {
    this.#names.add(name);
    if (this.#listings > 0) this.#changes.set(name, true);
  }

  /** Once it is gone. */
  delete(name: string): void {
    this.#names.delete(name);
    if (this.#listings > 0) this.#changes.set(name, false);
  }

  /** Takes over what `list` answers; stays as it was when that fails.
   *  @throws what `list` throws. */
  async relist(list: () => Promise<readonly string[]>): Promise<void> {
    this.#listings++;
    try {
      const names = new Set(await list());
      for (const [name, isThere] of this.#changes) {
        if (isThere) names.add(name);
        else names.delete(name);
      }
      this.#names = names;
    } finally {
      this.#listings--;
      if (this.#listings === 0) this.#changes.clear();
    }
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names[Symbol.iterator]();
  }
}
