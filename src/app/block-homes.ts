/**
 * The block homes of all tenants: opened at the start, and when a tenant that was made meanwhile
 * stores its first file. Nothing is shared between homes, so what befalls one, be it a fault, the
 * end of its keys or its removal, cannot reach another.
 *
 * A home that cannot be opened costs its own tenant an answer (503, with the reason in the log),
 * and nobody else; it is tried again when somebody asks. The default tenant's is the exception:
 * without it nothing starts, as ever.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { furthestOf } from '../base/witness.ts';
import type { Witness } from '../base/witness.ts';
import type { TenantRecord } from '../identity/index.ts';
import type { KnownMarks } from '../metadata/index.ts';
import { findDataDirectory, isThere } from '../platform/index.ts';
import { initKeys } from '../storage/index.ts';
import type { HomeTable, StoreSharing } from '../storage/index.ts';
import { checkFitting } from './block-backend.ts';
import { openBlockHome } from './block-home.ts';
import type { BlockHome, HomeParts, HomeSettings } from './block-home.ts';
import { BlockPlaces, findBlockPlace } from './block-place.ts';
import { HOMES_MAX, HomeList, noHome, ownMarks, partOfHome } from './home-list.ts';
import type { HomePlace } from './home-list.ts';
import { checkNodeFitting, keysElsewhere, keysNeedOneServer } from './node-fitting.ts';
import { settingsOfHome } from './storage-policies.ts';
import type { Policies } from './storage-policies.ts';

const OP = 'app/BlockHomes';
/** After a failure nobody waits for another try sooner. */
const RETRY_MS = 5_000;
/** So long a start waits for homes, and an end for those that are just being opened. One whose
 *  bucket does not answer is opened in the background. */
const START_WAIT_MS = 10_000;
const CLOSE_WAIT_MS = 2_000;
/** So long a command waits for disks to be used. */
const USE_WAIT_MS = 20_000;
/** Opened at once: each reads an index. */
const OPENED_AT_ONCE = 8;

export interface HomesOptions extends HomeParts {
  readonly policies: Policies;
  /** For tenants whose policy is `default`. */
  readonly usual: HomeSettings;
  readonly findTenant: (id: TenantId) => Promise<TenantRecord | undefined>;
  /** What shards refer to, as far as they can be asked. */
  readonly readMarks: () => Promise<KnownMarks>;
  /** Left out: the list of homes is a file, and this is the only server. */
  readonly shared?: SharedHomes | undefined;
}

/** What servers on one database do about their homes together. */
export interface SharedHomes {
  readonly table: HomeTable;
  /** Left out: there are no other servers, but there may be. */
  readonly others?: {
    /** Of this server. */
    readonly node: string;
    readonly sharing: StoreSharing;
    /** Does it, unless another server does something of that name right now. */
    readonly alone: (name: string, act: () => Promise<void>) => Promise<void>;
    /** What is relied upon in the store of a home is told from now on. */
    readonly tell: (store: BlockHome['backend']['objects']) => Promise<void>;
  };
}

export class BlockHomes {
  readonly #options: HomesOptions;
  readonly #dataPath: string;
  readonly #list: HomeList;
  readonly #homes = new Map<TenantId, BlockHome>();
  readonly #opening = new Map<TenantId, Promise<BlockHome>>();
  readonly #failed = new Map<TenantId, { error: unknown; atMs: number }>();
  /** Marks of shards that came while homes were being opened, which may not have asked them. */
  #lateMarks: Witness | undefined;
  /** Shards that are just being looked at. */
  #lateCount = 0;
  /** The list is written by one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Told of each home that is opened after the start. */
  onOpened: (home: BlockHome) => Promise<void> = () => Promise.resolve();
  /** Told of each home that was on one disk until now, and keeps copies from now on. */
  onCopied: (home: BlockHome) => void = () => undefined;
  /** Does something while no home collects garbage. */
  betweenCollections: (act: () => Promise<void>) => Promise<void> = (act) => act();

  private constructor(options: HomesOptions, dataPath: string, list: HomeList) {
    this.#options = options;
    this.#dataPath = dataPath;
    this.#list = list;
  }

  /** With the home of the default tenant, which is opened, and which `close` leaves open.
   *  @throws corrupt: the list of homes is lost or damaged. */
  static async open(own: BlockHome, options: HomesOptions): Promise<BlockHomes> {
    const data = await findDataDirectory(own.place.root);
    const list = await HomeList.open(data, options.shared?.table);
    if (!list.knows((await options.readMarks()).witness)) throw listLost();
    const homes = new BlockHomes(options, data.path, list);
    homes.#homes.set(DEFAULT_TENANT, own);
    return homes;
  }

  /** Opens those of these tenants, as far as they can be, and soon. */
  async openAll(tenants: readonly TenantRecord[]): Promise<void> {
    const waiting = tenants.map(({ id }) => id).filter((id) => !this.#homes.has(id));
    const openSome = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        await this.#opened(id).catch(() => undefined); // It was told.
      }
    };
    await this.#within(START_WAIT_MS, Array.from({ length: OPENED_AT_ONCE }, openSome));
  }

  /** Whether no tenant but the default one has ever had a home. @throws unavailable. */
  async areNone(): Promise<boolean> {
    if (this.#list.count === 1) await this.#inTurn(() => this.#list.refresh());
    return this.#list.count === 1;
  }

  /** The home that a tenant has, for a command. @throws not-found: it has none; and what kept it
   *  from being opened. */
  async knownHome(tenant: TenantId): Promise<BlockHome> {
    const home = this.#homes.get(tenant);
    if (home !== undefined) return home;
    if (this.#list.find(tenant) === undefined) await this.#inTurn(() => this.#list.refresh());
    if (this.#list.find(tenant) === undefined) throw noHome(tenant);
    try {
      return await this.#opened(tenant);
    } catch (error) {
      const reason = this.#failed.get(tenant)?.error;
      throw reason instanceof Error ? reason : error;
    }
  }

  /** Those that are open at the moment, that of the default tenant first. */
  list(): readonly BlockHome[] {
    return [...this.#homes.values()];
  }

  /** Why homes are not open, by tenant. */
  get failed(): ReadonlyMap<TenantId, { error: unknown }> {
    return this.#failed;
  }

  find(tenant: TenantId): BlockHome | undefined {
    return this.#homes.get(tenant);
  }

  /** @throws unavailable: it cannot be opened; what was wrong is its cause. */
  of(tenant: TenantId): BlockHome | Promise<BlockHome> {
    return this.#homes.get(tenant) ?? this.#opened(tenant);
  }

  /** See BlockHome.useAllDisks. `soon`: garbage is being collected, and it is done afterwards. */
  async useAllDisks(home: BlockHome): Promise<'now' | 'soon'> {
    const used = this.betweenCollections(async () => {
      if (this.#isClosed || home.opened !== undefined) return;
      const { witness, away } = await this.#options.readMarks();
      // Copies are levelled by marks: whoever lacks some waits until all can be asked.
      if (away.length > 0) throw marksMissing();
      await home.useAllDisks(ownMarks(home.place.number, witness));
      if (home.opened !== undefined) this.onCopied(home);
    });
    let isLate = false;
    used.catch((err: unknown) => {
      if (isLate) this.#options.log.error({ err }, 'disks are not used before the next start');
    });
    const late = Promise.withResolvers<'soon'>();
    const cancel = this.#options.clock.after(USE_WAIT_MS, () => {
      isLate = true;
      late.resolve('soon');
    });
    return Promise.race([used.then(() => 'now' as const), late.promise]).finally(cancel);
  }

  /** Whether all is there that a shard refers to which could not be asked when homes were opened.
   *  One that is not open looks for itself. @throws corrupt: something is missing; unavailable. */
  async checkMarks(witness: Witness): Promise<void> {
    if (!this.#list.knows(witness)) throw listLost();
    this.#lateMarks = furthestOf([this.#lateMarks ?? [], witness]);
    this.#lateCount += 1;
    try {
      for (const home of this.#homes.values()) {
        await home.checkMarks(ownMarks(home.place.number, witness));
      }
    } finally {
      this.#lateCount -= 1;
      this.#forgetLateMarks();
    }
  }

  /** Who opens from now on asks all shards itself. */
  #forgetLateMarks(): void {
    if (this.#opening.size === 0 && this.#lateCount === 0) this.#lateMarks = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#within(CLOSE_WAIT_MS, [...this.#opening.values()]);
    const opened = [...this.#homes].filter(([tenant]) => tenant !== DEFAULT_TENANT).reverse();
    for (const [tenant, home] of opened) {
      this.#homes.delete(tenant);
      await home.close();
    }
  }

  #opened(tenant: TenantId): Promise<BlockHome> {
    const known = this.#opening.get(tenant);
    if (known !== undefined) return known;
    const { clock } = this.#options;
    const failed = this.#failed.get(tenant);
    if (failed !== undefined && clock.monotonic() - failed.atMs < RETRY_MS) {
      return Promise.reject(notOpen(failed.error));
    }
    const opening = this.#open(tenant).finally(() => {
      this.#opening.delete(tenant);
      this.#forgetLateMarks();
    });
    this.#opening.set(tenant, opening);
    return opening;
  }

  async #within(limitMs: number, works: readonly Promise<unknown>[]): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(limitMs, late.resolve);
    await Promise.race([Promise.allSettled(works), late.promise]);
    cancel();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #open(tenant: TenantId): Promise<BlockHome> {
    if (this.#isClosed) throw notOpen(undefined);
    try {
      const home = await this.#openOne(tenant);
      // Until none came meanwhile: `checkMarks` asks the home itself as soon as it is there.
      for (let checked: Witness | undefined; checked !== this.#lateMarks;) {
        checked = this.#lateMarks;
        await checkLateMarks(home, checked ?? []);
      }
      if (this.#isClosed) await home.close();
      if (this.#isClosed) throw notOpen(undefined);
      this.#homes.set(tenant, home);
      this.#failed.delete(tenant);
      await this.onOpened(home).catch((err: unknown) => {
        this.#options.log.error({ err, tenant }, 'what a tenant stores is not looked after');
      });
      return home;
    } catch (error) {
      const { clock, log } = this.#options;
      this.#failed.set(tenant, { error, atMs: clock.monotonic() });
      log.error({ err: error, tenant }, 'the files of a tenant cannot be reached');
      throw notOpen(error);
    }
  }

  async #openOne(tenant: TenantId): Promise<BlockHome> {
    const record = await this.#options.findTenant(tenant);
    if (record === undefined) throw refused('not-found', 'There is no such tenant.', 'no-tenant');
    const { usual, policies, shared } = this.#options;
    if (this.#list.find(tenant)?.founded !== true) await this.#inTurn(() => this.#list.refresh());
    const known = this.#list.find(tenant);
    const chosen = settingsOfHome({ ...usual, policies }, { tenant, policy: record.policy });
    if (known !== undefined && known.policy !== record.policy) throw otherPolicy(known.policy);
    if (known?.founded === true) return this.#openAt(known, chosen, { isNew: false });
    if (shared?.others === undefined) return this.#found(record, chosen);
    let home: BlockHome | undefined;
    await shared.others.alone(`home-${tenant}`, async () => {
      await this.#inTurn(() => this.#list.refresh());
      const now = this.#list.find(tenant);
      home = now?.founded === true ? await this.#openAt(now, chosen, { isNew: false })
        : await this.#found(record, chosen);
    });
    if (home !== undefined) return home;
    throw refused('busy', 'Another server is making this tenant\'s storage.', 'home-being-made');
  }

  /** Makes it, or goes on where a try was cut short. */
  async #found(record: TenantRecord, chosen: HomeSettings): Promise<BlockHome> {
    const { id: tenant } = record;
    const { others } = this.#options.shared ?? {};
    if (others !== undefined && chosen.settings.encryptionKeyPath !== undefined) {
      throw keysNeedOneServer();
    }
    const place = this.#list.find(tenant) ?? await this.#inTurn(() => this.#note(record));
    const home = await this.#openAt(place, chosen, { isNew: true });
    try {
      await this.#inTurn(() => this.#list.noteFounded(tenant));
      return home;
    } catch (error) {
      await home.close(); // The next try opens it again.
      throw error;
    }
  }

  async #note({ id, policy }: TenantRecord): Promise<HomePlace> {
    if (this.#list.count >= HOMES_MAX) throw tooMany();
    await refuseStrangers(join(this.#dataPath, partOfHome(id)));
    return this.#list.add(id, policy);
  }

  async #openAt(
    place: HomePlace, { settings, backend }: HomeSettings, { isNew }: { isNew: boolean },
  ): Promise<BlockHome> {
    const { root, number, tenant } = place;
    const { clock, log, random, readMarks, shared: { others } = {} } = this.#options;
    checkFitting(backend, settings);
    checkNodeFitting({ node: others?.node }, 'mariadb', backend);
    const { encryptionKeyPath } = settings;
    const isOfAll = others !== undefined && !isNew;
    const isElsewhere = isOfAll && await findBlockPlace(root) === undefined;
    if (isOfAll && encryptionKeyPath !== undefined) {
      const missing = await missingKeyFiles(root, encryptionKeyPath);
      if (missing.length > 0) throw keysElsewhere({ tenant, root, missing });
    }
    if (isNew || isElsewhere) await mkdir(root, { recursive: true, mode: 0o700 });
    else await refuseLoss(root, backend.backend === 'local');
    const places = await BlockPlaces.open(root, backend, isNew || isElsewhere);
    // Whichever server has made it: what is not there was lost, and is not made here once more.
    if (isOfAll) await places.noteFounded(backend);
    if (isNew && encryptionKeyPath !== undefined) await this.#makeKeys(place, encryptionKeyPath);
    const { witness, away } = await readMarks();
    const home = await openBlockHome({
      place, settings, backend, places, dataPath: this.#dataPath, clock, random,
      log: log.child({ tenant }), sharing: others?.sharing,
      witness: ownMarks(number, witness), isWitnessWhole: away.length === 0,
    });
    try {
      await others?.tell(home.backend.objects); // Before anything in it is relied upon.
      return home;
    } catch (error) {
      await home.close();
      throw error;
    }
  }

  /** The ring of a new home. The master key must be there: one that was made because a disk is not
   *  mounted would be lost with the next mount. */
  async #makeKeys({ root, tenant }: HomePlace, masterKeyFile: string): Promise<void> {
    if (!(await isThere(masterKeyFile))) throw noMasterKey();
    const places = {
      dataDirectory: root, around: this.#dataPath, tenantId: tenant, masterKeyFile,
    };
    try {
      // There is nothing yet that could have been encrypted with other keys.
      await initKeys(places, this.#options.clock, () => Promise.resolve(false));
    } catch (error) {
      if (!isKind(error, 'exists')) throw error; // A first try came as far as this.
    }
  }
}

/** Of a storage that another server has made. The ring is kept twice: one of both will do. */
async function missingKeyFiles(root: string, masterKeyFile: string): Promise<string[]> {
  const ring = join(root, 'keys.json');
  const place = join(root, 'block-backend.json');
  const hasRing = await isThere(ring) || await isThere(join(root, 'keys-copy.json'));
  return [
    ...(hasRing ? [] : [ring]), ...(await isThere(place) ? [] : [place]),
    ...(await isThere(masterKeyFile) ? [] : [masterKeyFile]),
  ];
}

/** One in which something is missing is not used. */
async function checkLateMarks(home: BlockHome, witness: Witness): Promise<void> {
  try {
    await home.checkMarks(ownMarks(home.place.number, witness));
  } catch (error) {
    await home.close();
    throw error;
  }
}

/** An empty folder is a first try that was cut short. */
async function refuseStrangers(root: string): Promise<void> {
  if (!(await isThere(root)) || (await readdir(root)).length === 0) return;
  const message = 'In the data directory there is a folder with this tenant\'s name that holds '
    + 'files and is in no list of homes. Put back block-homes.json, from a backup if need be; '
    + 'nothing was changed.';
  throw refused('conflict', message, 'home-unlisted');
}

/** What was there once is not made anew, empty, in its place. */
async function refuseLoss(root: string, isLocal: boolean): Promise<void> {
  const wanted = isLocal && !(await isThere(join(root, 'register'))) ? join(root, 'volumes') : root;
  if (await isThere(wanted)) return;
  const message = 'The folder with this tenant\'s files is missing from the data directory. Is a '
    + 'disk not mounted? Put it back, from a backup if need be; nothing was changed.';
  throw refused('corrupt', message, 'data-incomplete');
}

function notOpen(cause: unknown): HoldfastError {
  const message = 'Your files cannot be reached at the moment. Please try again later, or ask '
    + 'whoever looks after this server.';
  return new HoldfastError('unavailable', OP, message, { code: 'home-closed', cause });
}

function listLost(): HoldfastError {
  const message = 'Files of tenants are stored here, and block-homes.json in the data directory, '
    + 'which says where, is missing or too old. Put it back from a backup. Nothing was changed.';
  return refused('corrupt', message, 'home-list-lost');
}

function marksMissing(): HoldfastError {
  const message = 'Disks are taken into use when all databases of metadata can be reached: they '
    + 'say which files must be there. See: holdfast shard list';
  return refused('unavailable', message, 'marks-away');
}

function otherPolicy(policy: string): HoldfastError {
  const message = `The files of this tenant are kept by the policy "${policy}". It cannot be `
    + 'another one afterwards.';
  return refused('conflict', message, 'other-policy');
}

function noMasterKey(): HoldfastError {
  const message = 'The file of the master key that this tenant\'s storage policy names is not '
    + 'there. Make it, readable for the server alone: 64 hexadecimal digits, as by openssl rand '
    + '-hex 32.';
  return refused('invalid', message, 'no-master-key');
}

function tooMany(): HoldfastError {
  const message = `One server looks after ${HOMES_MAX} tenants' files at most.`;
  return refused('too-large', message, 'too-many-homes');
}

function refused(
  kind: ConstructorParameters<typeof HoldfastError>[0], message: string, code: string,
): HoldfastError {
  return new HoldfastError(kind, OP, message, { code });
}
