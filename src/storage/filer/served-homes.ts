/**
 * Which home a connection is of. A filer's disks are those of its cluster's own home; of every one
 * of them a part can be set apart for each tenant's home, `homes/HOME` in its folder. It is made
 * when a coordinator that has proved to hold the cluster's key first comes for that home, and only
 * on a disk that is there, so it never hides one that is not mounted.
 */
import { HoldfastError } from '../../base/errors.ts';
import { cloned } from './disk-claims.ts';
import { refused, type Hello } from './handshake.ts';
import type { LocalDisk } from './local-disk.ts';
import type { ServedHome } from './served-home.ts';

/** As many as one server has. */
const HOMES_MAX = 64;

export interface ServedHomesParts {
  readonly own: ServedHome;
  readonly makeHome: () => ServedHome;
  /** A part that is left alone, on which disk. */
  readonly onRefused: (on: LocalDisk, reason: HoldfastError) => void;
}

interface KnownHome {
  readonly served: ServedHome;
  /** By the disk on which it is a part. */
  readonly parts: Map<LocalDisk, LocalDisk>;
  /** Its parts are looked for by one after the other; a slow disk keeps no other home waiting. */
  turn: Promise<unknown>;
}

export class ServedHomes {
  readonly #parts: ServedHomesParts;
  readonly #known = new Map<string, KnownHome>();
  #isClosing = false;

  constructor(parts: ServedHomesParts) {
    this.#parts = parts;
  }

  /** How many tenants' homes have parts here, of those that somebody came for. */
  get count(): number {
    return this.#known.size;
  }

  /** @throws conflict, unavailable: the reason for the refusal. */
  async of(hello: Hello): Promise<ServedHome> {
    const { home, role } = hello;
    if (home === undefined) return this.#parts.own;
    const known = this.#known.get(home) ?? this.#begin(home);
    const opened = known.turn.then(() => this.#open(home, known, role === 'coordinator'));
    const turn = opened.catch(() => undefined);
    known.turn = turn;
    try {
      await opened;
      return known.served;
    } finally {
      // Somebody has looked for a home that is not here, and nobody else is looking.
      if (known.parts.size === 0 && known.turn === turn) this.#known.delete(home);
    }
  }

  /** That of somebody who was let in. */
  find({ home }: Hello): ServedHome | undefined {
    return home === undefined ? this.#parts.own : this.#known.get(home)?.served;
  }

  /** Resolves when nothing is under way any more and all disks were let go. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#known.values()].map(async ({ turn, served }) => {
      await turn;
      await served.close();
    }));
    await this.#parts.own.close();
  }

  #begin(home: string): KnownHome {
    if (this.#known.size >= HOMES_MAX) throw refused('too-many-homes');
    const known: KnownHome = {
      served: this.#parts.makeHome(), parts: new Map(), turn: Promise.resolve(),
    };
    this.#known.set(home, known);
    return known;
  }

  async #open(home: string, { served, parts }: KnownHome, make: boolean): Promise<void> {
    if (this.#isClosing) throw refused('stopping');
    const opened = new Map<LocalDisk, LocalDisk>();
    for (const disk of this.#parts.own.disks) {
      if (parts.has(disk)) continue;
      const part = await this.#openPart(disk, home, make);
      if (part !== undefined) opened.set(disk, part);
    }
    for (const [disk, part] of await this.#withoutTwins(parts, opened)) {
      parts.set(disk, part);
      served.add([part]);
    }
  }

  async #openPart(disk: LocalDisk, home: string, make: boolean): Promise<LocalDisk | undefined> {
    try {
      if (!make && !(await disk.listParts()).includes(home)) return undefined;
      return await disk.openPart(home, { make });
    } catch (error) {
      this.#parts.onRefused(disk, error instanceof HoldfastError ? error : unusable(error));
      return undefined;
    }
  }

  /** Somebody has copied a part from one disk to another: nobody can tell which is the true one. */
  async #withoutTwins(
    before: ReadonlyMap<LocalDisk, LocalDisk>, opened: ReadonlyMap<LocalDisk, LocalDisk>,
  ): Promise<Map<LocalDisk, LocalDisk>> {
    const all = [...before.values(), ...opened.values()];
    const taken = new Map<LocalDisk, LocalDisk>();
    for (const [disk, part] of opened) {
      if (all.filter(({ id }) => id === part.id).length === 1) {
        taken.set(disk, part);
        continue;
      }
      await part.close();
      this.#parts.onRefused(disk, cloned(part.id));
    }
    return taken;
  }
}

function unusable(cause: unknown): HoldfastError {
  const message = 'No part of a disk can be set apart for a tenant. Check that it may be written.';
  const code = 'disk-unusable';
  return new HoldfastError('unavailable', 'storage/filer', message, { code, cause });
}
