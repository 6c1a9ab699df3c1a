/**
 * Which tenants have a block home of their own, as `block-homes.json` in the data directory says:
 * written before the first file of a home. So a home whose folder is gone is a loss that is told,
 * and never made anew in its place.
 *
 * On MariaDB a table of the directory database says so, to all servers, and the file is a copy for
 * commands that look while no server runs.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import type { Witness } from '../base/witness.ts';
import { findDataDirectory } from '../platform/index.ts';
import { readJson, replaceJson } from '../storage/index.ts';
import type { HomeEntry, HomeTable } from '../storage/index.ts';

const NAME = 'block-homes.json';
const FORMAT = 'holdfast-block-homes';
const VERSION = 1;
const OP = 'app/blockHomes';
/** Of one process, with that of the default tenant. */
export const HOMES_MAX = 64;
/** Volume numbers of home N begin at N times this in the metadata: it keeps one list for all. */
const MARKS_OF_HOME = 2 ** 32;

/** Where a tenant's blocks are looked after. */
export interface HomePlace {
  readonly tenant: TenantId;
  /** 0: that of the default tenant. Never given twice. */
  readonly number: number;
  /** The data directory, or a folder in it. */
  readonly root: string;
  /** Names the home where its disks, buckets and mirrors say whose they are. */
  readonly id: string;
}

export interface KnownHome extends HomePlace {
  readonly policy: string;
  /** All of it was made: from then on what is missing was lost. */
  readonly founded: boolean;
  /** The directory in which all homes lie. */
  readonly dataPath: string;
}

interface DataPlace {
  readonly path: string;
  readonly instanceId: string;
}

export class HomeList {
  readonly #data: DataPlace;
  readonly #table: HomeTable | undefined;
  #entries: readonly HomeEntry[];

  private constructor(
    data: DataPlace, entries: readonly HomeEntry[], table: HomeTable | undefined,
  ) {
    this.#data = data;
    this.#entries = entries;
    this.#table = table;
  }

  /** @throws corrupt, invalid: the list cannot be understood; conflict: the file of this server
   *  says something else than the table does. */
  static async open(data: DataPlace, table?: HomeTable): Promise<HomeList> {
    const entries = await readEntries(join(data.path, NAME));
    const list = new HomeList(data, entries, table);
    if (table === undefined) return list;
    for (const entry of entries) await table.take(entry);
    await list.refresh();
    for (const { tenant, number, policy } of entries) {
      const now = list.#entries.find((one) => one.tenant === tenant);
      if (now?.number !== number || now.policy !== policy) throw otherList(tenant);
    }
    return list;
  }

  /** Reads what others have noted. One after the other, as all that changes the list. */
  async refresh(): Promise<void> {
    const entries = await this.#table?.read();
    if (entries === undefined || isSame(entries, this.#entries)) return;
    await this.#write(entries);
  }

  /** Of a tenant that has one; the default tenant always has. */
  find(tenant: TenantId): KnownHome | undefined {
    const { path: dataPath } = this.#data;
    if (tenant === DEFAULT_TENANT) {
      return { ...ownHome(this.#data), policy: DEFAULT_TENANT, founded: true, dataPath };
    }
    const entry = this.#entries.find((one) => one.tenant === tenant);
    if (entry === undefined) return undefined;
    const { number, policy, founded } = entry;
    return { tenant, number, ...placeOf(this.#data, tenant), policy, founded, dataPath };
  }

  /** With that of the default tenant. */
  get count(): number {
    return this.#entries.length + 1;
  }

  /** Durable once resolved. */
  async add(tenant: TenantId, policy: string): Promise<HomePlace> {
    if (this.#table !== undefined) {
      await this.#table.add(tenant, policy);
      await this.refresh();
      const added = this.find(tenant);
      if (added === undefined || added.policy !== policy) throw otherList(tenant);
      return added;
    }
    const number = Math.max(0, ...this.#entries.map((one) => one.number)) + 1;
    await this.#write([...this.#entries, { tenant, number, policy, founded: false }]);
    return { tenant, number, ...placeOf(this.#data, tenant) };
  }

  /** Durable once resolved. */
  async noteFounded(tenant: TenantId): Promise<void> {
    await this.#table?.noteFounded(tenant);
    await this.#write(this.#entries.map((one) => (
      one.tenant === tenant ? { ...one, founded: true } : one)));
  }

  /** Whether each mark of the metadata is of a home that is noted here. */
  knows(witness: Witness): boolean {
    const numbers = new Set([0, ...this.#entries.map((one) => one.number)]);
    return witness.every(([mark]) => numbers.has(Math.floor(mark / MARKS_OF_HOME)));
  }

  async #write(entries: readonly HomeEntry[]): Promise<void> {
    const path = join(this.#data.path, NAME);
    await replaceJson(path, { format: FORMAT, version: VERSION, homes: entries });
    this.#entries = entries;
  }
}

function isSame(a: readonly HomeEntry[], b: readonly HomeEntry[]): boolean {
  return a.length === b.length && a.every(({ tenant, number, policy, founded }) =>
    b.some((one) => one.tenant === tenant && one.number === number && one.policy === policy
      && one.founded === founded));
}

function otherList(tenant: string): HoldfastError {
  const message = `The database and ${NAME} in the data directory say different things about the `
    + `storage of tenant ${tenant}. Is this the data directory of this database? Put back the one `
    + 'that belongs to it, from a backup. Nothing was changed.';
  return new HoldfastError('conflict', OP, message, { code: 'home-list-differs' });
}

/** For whoever only looks. @throws not-found: the tenant has stored nothing, or is none. */
export async function findHome(
  dataDirectory: string, tenant: TenantId,
): Promise<KnownHome> {
  const data = await findDataDirectory(dataDirectory);
  const home = (await HomeList.open(data)).find(tenant);
  if (home !== undefined) return home;
  throw noHome(tenant);
}

export function noHome(tenant: TenantId): HoldfastError {
  const message = `There is no storage of a tenant ${tenant}. If there is such a tenant, its `
    + 'storage is made when the server starts, or when somebody stores a file. See: holdfast '
    + 'tenant list';
  return new HoldfastError('not-found', OP, message, { code: 'no-home' });
}

export function ownHome({ path, instanceId }: DataPlace): HomePlace {
  return { tenant: DEFAULT_TENANT, number: 0, root: path, id: instanceId };
}

/** Within places that several homes share: buckets, folders of caches and mirrors. */
export function partOfHome(tenant: TenantId): string {
  return `tenants/${tenant}/`;
}

/** As the metadata names the volumes of a home. */
export function marksOf(number: number, witness: Witness): Witness {
  if (number === 0) return witness;
  return witness.map(([volumeId, bytes]) => [number * MARKS_OF_HOME + volumeId, bytes] as const);
}

/** As the home names its volumes. */
export function ownMarks<T extends number>(
  number: number, marks: Iterable<readonly [T, number]>,
): [T, number][] {
  const from = number * MARKS_OF_HOME;
  return [...marks].filter(([mark]) => mark >= from && mark < from + MARKS_OF_HOME)
    .map(([mark, bytes]) => [mark - from as T, bytes]);
}

function placeOf({ path, instanceId }: DataPlace, tenant: TenantId): { root: string; id: string } {
  const digest = createHash('sha256').update(`${instanceId}/${tenant}`).digest('hex');
  // A UUID of version 8: all that is known of it is that it is always the same one.
  const id = [
    digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`,
    `a${digest.slice(17, 20)}`, digest.slice(20, 32),
  ].join('-');
  return { root: join(path, 'tenants', tenant), id };
}

async function readEntries(path: string): Promise<readonly HomeEntry[]> {
  let note: Record<string, unknown> | undefined;
  try {
    note = await readJson(path);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw notUnderstood(cause);
    throw cause;
  }
  if (note === undefined) return [];
  const { format, version, homes } = note;
  if (typeof version === 'number' && version > VERSION) {
    const message = `${NAME} was written by a newer version of Holdfast. Start that one or a later `
      + 'one. Nothing was changed.';
    throw new HoldfastError('invalid', OP, message, { code: 'newer-format' });
  }
  const isRight = format === FORMAT && version === VERSION && Array.isArray(homes)
    && homes.every(isEntry) && new Set(homes.map((one) => one.number)).size === homes.length;
  if (!isRight) throw notUnderstood();
  return homes as readonly HomeEntry[];
}

function isEntry(value: unknown): value is HomeEntry {
  const { tenant, number, policy, founded } = (value ?? {}) as Partial<HomeEntry>;
  return typeof tenant === 'string' && typeof policy === 'string' && typeof founded === 'boolean'
    && Number.isSafeInteger(number) && (number ?? 0) > 0 && (number ?? 0) < 2 ** 20;
}

function notUnderstood(cause?: unknown): HoldfastError {
  const message = `${NAME} in the data directory is damaged: it says which tenants have files. Put `
    + 'it back from a backup. Nothing was changed.';
  return new HoldfastError('corrupt', OP, message, { code: 'home-list-damaged', cause });
}
