/**
 * Which disks there are, where, and in which state: durable, and the same on all disks.
 *
 * It lies on the disks, not in the data directory: whoever has the disks has all that is needed to
 * read them, and with any of them, or with the machine, no knowledge of the others is lost.
 * The copy with the highest generation counts. docs/formats/copies.md.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { VolumeFiles } from '../backends/local/volume-files.ts';
import { decodeChecked, encodeChecked, readSmall, replaceSmall } from './checked-json.ts';
import { DISK_STATES, DOMAIN_LEVELS, type DiskLabels, type DiskState } from './volume-disk.ts';

const OP = 'storage/DiskRegister';
const NAME = 'disks';
const KIND = 'disks';
const VERSION = 1;
/** Retired ones count too: an id is never given twice. */
const DISKS_MAX = 1024;

export interface RegisteredDisk {
  readonly id: string;
  readonly labels: DiskLabels;
  readonly state: DiskState;
  /** A folder, or a filer's address and its disk: where it was last seen. */
  readonly where: string;
  readonly addedMs: number;
}

export interface RegisterContent {
  readonly clusterId: string;
  /** Counts up with each change; 0: nothing was ever written. */
  readonly generation: number;
  readonly disks: readonly RegisteredDisk[];
}

/** A disk that can be read and written at the moment. */
export interface RegisterPlace {
  readonly id: string;
  readonly files: VolumeFiles;
}

export class DiskRegister {
  readonly #places: RegisterPlace[];
  #content: RegisterContent;
  #saving: Promise<void> = Promise.resolve();

  private constructor(places: readonly RegisterPlace[], content: RegisterContent) {
    this.#places = [...places];
    this.#content = content;
  }

  /**
   * Reads it from all disks that answer; none has one: it is empty.
   * @throws invalid: a disk of another cluster; corrupt: all are damaged, or two of one generation
   *   are not the same; conflict: written by a newer version. Nothing was changed then.
   */
  static async open(clusterId: string, places: readonly RegisterPlace[]): Promise<DiskRegister> {
    const found: RegisterContent[] = [];
    let damaged = 0;
    for (const place of places) {
      const bytes = await readSmall(place.files, NAME).catch(() => undefined);
      if (bytes === undefined) continue;
      const content = decodeRegister(bytes);
      if (content === undefined) {
        damaged++;
        continue;
      }
      if (content.clusterId !== clusterId) throw foreign(place.id);
      found.push(content);
    }
    if (found.length === 0 && damaged > 0) throw allDamaged();
    found.sort((a, b) => b.generation - a.generation);
    const [newest] = found;
    for (const other of found) {
      const same = JSON.stringify(other) === JSON.stringify(newest);
      if (other.generation === newest?.generation && !same) throw differing(other.generation);
    }
    return new DiskRegister(places, newest ?? { clusterId, generation: 0, disks: [] });
  }

  get generation(): number {
    return this.#content.generation;
  }

  /** In the order in which they were added. */
  get disks(): readonly RegisteredDisk[] {
    return this.#content.disks;
  }

  find(diskId: string): RegisteredDisk | undefined {
    return this.#content.disks.find(({ id }) => id === diskId);
  }

  /** Durable on every disk that answers, and on at least one, once resolved.
   *  @throws exists: the id was given before; invalid: there are too many, or the id is no id. */
  async add(disk: RegisteredDisk, place: RegisterPlace): Promise<void> {
    if (this.find(disk.id) !== undefined) {
      const message = 'This disk is known already. A retired one comes back only with a new id.';
      throw new HoldfastError('exists', OP, message, { facts: { diskId: disk.id } });
    }
    if (this.disks.length >= DISKS_MAX || !/^[A-Za-z0-9._-]{1,64}$/.test(disk.id)) {
      const message = 'A disk id has 1 to 64 letters, digits and . _ -, and there may be 1024.';
      throw new HoldfastError('invalid', OP, message);
    }
    this.#places.push(place);
    await this.#save((disks) => [...disks, disk]);
  }

  /** Durable as `add` is. @throws not-found. */
  async setState(diskId: string, state: DiskState): Promise<void> {
    await this.#change(diskId, { state });
  }

  /** A disk that is found elsewhere, or stands elsewhere now. Durable as `add` is. */
  async relocate(
    diskId: string,
    change: Partial<Pick<RegisteredDisk, 'where' | 'labels'>>,
  ): Promise<void> {
    await this.#change(diskId, change);
  }

  async #change(diskId: string, change: Partial<RegisteredDisk>): Promise<void> {
    if (this.find(diskId) === undefined) {
      const message = 'There is no such disk. See: holdfast disk list';
      throw new HoldfastError('not-found', OP, message, { facts: { diskId } });
    }
    await this.#save((disks) =>
      disks.map((disk) => (disk.id === diskId ? { ...disk, ...change } : disk)));
  }

  /** One change after the other. */
  #save(
    change: (disks: readonly RegisteredDisk[]) => readonly RegisteredDisk[],
  ): Promise<void> {
    const saved = this.#saving.then(() => this.#write(change(this.#content.disks)));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async #write(disks: readonly RegisteredDisk[]): Promise<void> {
    const { clusterId, generation } = this.#content;
    const next = { clusterId, generation: generation + 1, disks };
    const bytes = encodeChecked(KIND, VERSION, next);
    let failure: unknown;
    let done = 0;
    await Promise.all(this.#places.map(async ({ files }) => {
      try {
        await replaceSmall(files, NAME, bytes);
        done++;
      } catch (error) {
        failure = error; // It gets the next one; until then the others' generation is higher.
      }
    }));
    if (done === 0) {
      const message = 'The list of disks could not be written to any of them.';
      throw new HoldfastError('unavailable', OP, message, { cause: failure });
    }
    this.#content = next;
  }
}

/** Undefined when damaged. @throws conflict: of a newer version. */
function decodeRegister(bytes: Buffer): RegisterContent | undefined {
  const checked = decodeChecked(KIND, VERSION, bytes);
  if (!checked.sound) {
    if (checked.fault === 'damaged') return undefined;
    const message = 'The list of disks was written by a newer version of Holdfast. Start that one.';
    throw new HoldfastError('conflict', OP, message, { code: 'register-newer' });
  }
  const { clusterId, generation, disks } = (checked.value ?? {}) as Partial<RegisterContent>;
  if (typeof clusterId !== 'string' || !Number.isSafeInteger(generation)) return undefined;
  if (!Array.isArray(disks) || !disks.every(isRegistered)) return undefined;
  return { clusterId, generation: generation as number, disks };
}

function isRegistered(value: unknown): value is RegisteredDisk {
  if (typeof value !== 'object' || value === null) return false;
  const { id, labels, state, where, addedMs } = value as Partial<RegisteredDisk>;
  if (typeof id !== 'string' || typeof where !== 'string') return false;
  if (typeof addedMs !== 'number') return false;
  if (state === undefined || !DISK_STATES.includes(state)) return false;
  return labels !== undefined && DOMAIN_LEVELS.every((level) => typeof labels[level] === 'string');
}

function foreign(diskId: string): HoldfastError {
  const message = 'A disk belongs to another cluster. Take it away and start again.';
  return new HoldfastError('invalid', OP, message, { code: 'foreign-cluster', facts: { diskId } });
}

function allDamaged(): HoldfastError {
  const message = 'The list of disks is damaged on all of them. Restore that one file from a copy.';
  return new HoldfastError('corrupt', OP, message, { code: 'register-damaged' });
}

function differing(generation: number): HoldfastError {
  const message = 'The disks do not agree which disks there are: some were used apart from the '
    + 'others. Take those away and start again.';
  const facts = { generation };
  return new HoldfastError('corrupt', OP, message, { code: 'register-differs', facts });
}
