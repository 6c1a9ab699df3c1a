/**
 * The disks of a server: the folder `volumes` in its data directory alone, as long as no other disk
 * was added; then all that the register names, in folders of this machine and on filers, as one.
 *
 * The register lies on every disk and, so that somebody knows where the disks are, in the folder
 * `register` of the data directory.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { Witness } from '../base/witness.ts';
import { LocalFolder } from '../durability/index.ts';
import type { VerifiedDisk } from '../durability/index.ts';
import { parseListenAddress } from '../platform/index.ts';
import type { Clock, Config, Logger, Random, ValuesOf } from '../platform/index.ts';
import {
  DiskClaims, DiskRegister, erasurePolicy, erasureSlice, FilerClient, filerSlice, identifyDisk,
  KEEP_TRASH_MS, LocalDisk,
  nextEpoch, openReplicatedFiles, readClusterKey, returnEpoch, storageSlice, usualPolicy,
} from '../storage/index.ts';
import type {
  ClusterKey, CopyFinding, Disk, DiskLabels, DiskLink, Disks, ErasureSets, RegisteredDisk,
  ReplacedCopies,
  RepairWorker,
  ReplicatedVolumeFiles, ReplicationPolicy, VolumeDisk,
} from '../storage/index.ts';
import type { VolumeFinding } from '../storage/backends/local/findings.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { folderOfDisk, parseFilerPlace } from './disk-place.ts';
import { MountedDisk, type OpenDisk } from './mounted-disk.ts';

const OP = 'app/fleet';
/** Within the data directory. */
const OWN_DISK = 'volumes';
/** A filer that is just starting is worth a moment; one that is away must not stop the start. */
const FILER_WAIT_MS = 3_000;

export interface FleetOptions {
  readonly dataPath: string;
  /** Of the home: names this coordinator, and the cluster unless a key does. */
  readonly instanceId: string;
  /** Of a tenant's home: the directory in which all homes lie, and in it the cluster's key. On
   *  filers it has parts of its own; it is never the cluster's own home. */
  readonly within?: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
  readonly settings: FleetSettings;
}

export type FleetSettings = ValuesOf<typeof storageSlice.settings>
  & ValuesOf<typeof erasureSlice.settings>
  & Pick<ValuesOf<typeof filerSlice.settings>, 'clusterKeyPath' | 'filerCaPath'>;

export function fleetSettings(config: Config): FleetSettings {
  return { ...config.of(storageSlice), ...config.of(erasureSlice), ...config.of(filerSlice) };
}

export interface OpenedFleet {
  readonly files: ReplicatedVolumeFiles;
  readonly repair: RepairWorker;
  readonly disks: Disks;
  readonly policy: ReplicationPolicy;
  /** A disk that does not answer for so long is taken for lost. */
  readonly missingAfterMs: number;
  /** The disks that hold copies at the moment, for whoever looks at each by itself. */
  readonly verifiedDisks: () => readonly VerifiedDisk[];
  /** Disks that have left for good, by id. */
  readonly goneIds: () => readonly string[];
  readonly sets: ErasureSets;
  readonly replaced: ReplacedCopies;
  /** The disks on which a volume has a whole copy: one that was let go elsewhere is not missed. */
  readonly placement: (volumeName: string) => readonly string[] | undefined;
  /** Hears of damage that the store above has found: no copy gave the right bytes. */
  readonly heed: (finding: VolumeFinding) => void;
}

/** Who lies at a place, without opening it. */
export interface SeenDisk {
  readonly diskId: string;
  /** As the register writes it. */
  readonly where: string;
  readonly host: string;
}

export interface FoundDisk {
  readonly disk: Disk;
  /** As the register writes it. */
  readonly where: string;
  readonly host: string;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #claims = new DiskClaims();
  readonly #clients = new Map<string, FilerClient>();
  /** By their folders. */
  readonly #locals = new Map<string, LocalDisk>();
  /** By their ids: all that were opened as disks of this server. */
  readonly #mounted = new Map<string, MountedDisk>();
  #epoch: number | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Undefined: no disk was ever added, and `volumes` is all there is.
   *  @throws as `openReplicatedFiles` and `DiskRegister.open`. */
  async open(
    witness: Witness, { isWitnessWhole = true }: { isWitnessWhole?: boolean | undefined } = {},
  ): Promise<OpenedFleet | undefined> {
    const { clock, log, settings } = this.#options;
    const known = await this.#registerAlone();
    if (known.disks.length === 0) return undefined;
    const disks: VolumeDisk[] = [];
    for (const entry of known.disks) disks.push(await this.#openDisk(entry));
    const places = disks.filter(({ state }) => state !== 'retired');
    const register = await DiskRegister.open(await this.#clusterId(), [
      this.#ownPlace(), ...places,
    ]);
    await this.#keepOwnCopy(register);
    // Those of now; once they are open, those that were added and retired since as well.
    let current: () => readonly Pick<VolumeDisk, 'labels' | 'state'>[] = () => disks;
    const policy = policyOf(settings, () => current());
    const missingAfterMs = settings.missingAfterSeconds * 1000;
    const {
      files, repair, administer, links, sets, replaced, wholeOn,
    } = await openReplicatedFiles({
      disks, policy, witness, isWitnessWhole, clock, erasure: erasurePolicy(settings),
      random: this.#options.random,
      onFinding: (finding) => tell(log, finding),
      limits: {
        repairBytesPerSecond: settings.repairBytesPerSecond, missingAfterMs,
      },
      onDiskState: ({ id, state }) => {
        log.warn({ diskId: id, state }, 'a disk has changed its state');
        register.setState(id, state).catch((err: unknown) => {
          log.error({ err, diskId: id }, 'the list of disks could not be written');
        });
      },
    });
    current = () => links;
    const verifiedDisks = () => links.filter(({ inUse }) => inUse).map((link) =>
      verifiedDisk(link, this.#localFolderOf(register.find(link.id)?.where)));
    // Before the first other disk was added, its own one was called `local`.
    const goneIds = () => ['local',
      ...links.filter(({ state }) => state === 'retired').map(({ id }) => id)];
    const heed = (finding: VolumeFinding): void => lookAgain(finding, repair, log);
    return {
      files, repair, disks: administer(register), policy, missingAfterMs, verifiedDisks,
      goneIds, heed, sets, replaced, placement: wholeOn,
    };
  }

  /** The register of a server that has had one disk until now; made with `first` for the folder
   *  `volumes`, unless it was before. */
  async found(first: DiskLabels): Promise<DiskRegister> {
    await this.#ownPlace().files.prepare();
    const known = await this.#registerAlone();
    if (known.disks.length > 0) return known;
    const register = await DiskRegister.open(await this.#clusterId(), [this.#ownPlace()]);
    const disk = await this.#openLocal(this.#folderOf(OWN_DISK), 'with-contents');
    const entry = { id: disk.id, labels: first, where: OWN_DISK, addedMs: this.now() };
    await register.add({ ...entry, state: 'active' }, disk);
    return register;
  }

  /** What the register says now; a server that has begun with one disk uses it from its next start
   *  on. */
  async registered(): Promise<readonly RegisteredDisk[]> {
    const { disks } = await this.#registerAlone();
    return disks.map((disk) => (parseFilerPlace(disk.where) !== undefined ? disk
      : { ...disk, where: this.#folderOf(disk.where) }));
  }

  /** Undefined: it is on a filer. */
  #localFolderOf(where: string | undefined): string | undefined {
    if (where === undefined || parseFilerPlace(where) !== undefined) return undefined;
    return this.#folderOf(where);
  }

  #folderOf(where: string): string {
    return folderOfDisk(this.#options.dataPath, where);
  }

  /** Of the disk on which the data directory's own volumes lie. */
  ownSpace() {
    return new NodeVolumeFiles(join(this.#options.dataPath, 'volumes')).space();
  }

  now(): number {
    return this.#options.clock.now();
  }

  /**
   * The disks at a place that was named by an operator: a folder, or all of a filer. For `look`
   * alone a filer that is not known is asked over a connection of its own, which changes nothing
   * there and takes no disk from another filer.
   * @throws conflict, code `disk-unknown`: an empty folder, and `adopt` is not set.
   */
  async look<T>(
    place: string, { adopt }: { adopt: boolean }, act: (found: FoundDisk[]) => Promise<T>,
  ): Promise<T> {
    const address = place.startsWith('filer:') ? place.slice('filer:'.length) : undefined;
    if (address === undefined || this.#clients.has(address)) {
      return act(await this.use(place, { adopt }));
    }
    return this.#peek(address, act);
  }

  /** What a filer says at this moment, whatever it said before. */
  async #peek<T>(address: string, act: (found: FoundDisk[]) => Promise<T>): Promise<T> {
    const client = await this.#open(address, 'reader', new DiskClaims());
    try {
      return await act(foundAt(address, client));
    } finally {
      client.close();
    }
  }

  /** The same, to be used from now on. */
  async use(place: string, { adopt }: { adopt: boolean }): Promise<FoundDisk[]> {
    if (!place.startsWith('filer:')) {
      if (!isAbsolute(place)) throw invalid('Name the folder of the disk with its whole path.');
      const disk = await this.#openLocal(place, adopt ? 'if-empty' : 'never');
      return [{ disk, where: place, host: hostname() }];
    }
    const address = place.slice('filer:'.length);
    return foundAt(address, await this.#client(address));
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    for (const disk of this.#locals.values()) await disk.close();
    this.#locals.clear();
  }

  /** As far as the data directory knows it: from its own copy, and from its first disk, so that the
   *  loss of one of the two is no loss. */
  async #registerAlone(): Promise<DiskRegister> {
    const volumes = join(this.#options.dataPath, 'volumes');
    const first = { id: 'volumes', files: new NodeVolumeFiles(volumes) };
    return DiskRegister.open(await this.#clusterId(), [this.#ownPlace(), first]);
  }

  /** The data directory's own copy may be missing or old: it was restored, or not written. */
  async #keepOwnCopy(register: DiskRegister): Promise<void> {
    await this.#ownPlace().files.prepare();
    const own = await DiskRegister.open(await this.#clusterId(), [this.#ownPlace()]);
    const [first] = register.disks;
    if (own.generation === register.generation || first === undefined) return;
    await register.relocate(first.id, {}); // Writes it everywhere.
  }

  #ownPlace() {
    const files = new NodeVolumeFiles(join(this.#options.dataPath, 'register'));
    return { id: 'data-directory', files };
  }

  /**
   * Who is at a place: nothing is opened, changed or taken from anybody there.
   * @throws conflict, code `disk-unknown`: an empty folder; what `look` throws.
   */
  async seeAt(place: string): Promise<SeenDisk[]> {
    if (place.startsWith('filer:')) {
      return this.#peek(place.slice('filer:'.length), (found) => Promise.resolve(
        found.map(({ disk, where, host }) => ({ diskId: disk.id, where, host })),
      ));
    }
    if (!isAbsolute(place)) throw invalid('Name the folder of the disk with its whole path.');
    const { clock } = this.#options;
    const request = { clusterId: await this.#clusterId(), adopt: 'never', clock } as const;
    const { diskId } = await identifyDisk(place, request);
    return [{ diskId, where: place, host: hostname() }];
  }

  /** Is that disk at the place where it was last seen? False also when nobody can tell. */
  async isStillAt(where: string, diskId: string): Promise<boolean> {
    const onFiler = parseFilerPlace(where);
    const place = onFiler === undefined ? this.#folderOf(where) : `filer:${onFiler.address}`;
    try {
      return (await this.seeAt(place)).some((seen) => seen.diskId === diskId);
    } catch {
      return false;
    }
  }

  /** A disk is reached at another place from now on. It does not answer where it was. */
  async moveTo(diskId: string, from: string, to: string): Promise<void> {
    const root = this.#folderOf(from);
    await this.#locals.get(root)?.close();
    this.#locals.delete(root);
    const mounted = this.#mounted.get(diskId);
    if (mounted === undefined) return;
    this.#letGoFiler(parseFilerPlace(from)?.address);
    mounted.moveTo(await this.#wayTo(diskId, to));
  }

  /** What a filer that is gone said of its disks would count for ever; one that is there and has
   *  others of ours is reached without this one. */
  #letGoFiler(address: string | undefined): void {
    const client = address === undefined ? undefined : this.#clients.get(address);
    if (address === undefined || client === undefined || client.state.isConnected) return;
    client.close();
    this.#clients.delete(address);
  }

  /** As far as the data directory knows it, for whoever changes it without opening the disks. */
  knownDisks(): Promise<DiskRegister> {
    return this.#registerAlone();
  }

  /** A disk that does not answer is opened all the same: the others may be enough. */
  async #openDisk(entry: RegisteredDisk): Promise<VolumeDisk> {
    const { id, labels, state, where } = entry;
    const files = new MountedDisk(
      await this.#wayTo(id, where),
      (err) => this.#options.log.error({ err, diskId: id }, 'a disk cannot be used'),
    );
    this.#mounted.set(id, files);
    const remote = parseFilerPlace(where) !== undefined;
    if (state !== 'retired' && !remote) await failsOnlyIfForeign(files);
    return { id, labels, state, files, remote };
  }

  async #wayTo(id: string, where: string): Promise<OpenDisk> {
    const onFiler = parseFilerPlace(where);
    if (onFiler !== undefined) {
      const client = await this.#client(onFiler.address);
      return () => Promise.resolve(client.disk(onFiler.diskId));
    }
    return async () => {
      const disk = await this.#openLocal(this.#folderOf(where), 'never');
      if (disk.id === id) return disk;
      throw new HoldfastError('conflict', OP, 'Another disk is mounted where a known one was.', {
        code: 'wrong-disk', facts: { diskId: disk.id },
      });
    };
  }

  async #openLocal(root: string, adopt: 'never' | 'if-empty' | 'with-contents') {
    const { clock } = this.#options;
    const clusterId = await this.#clusterId();
    const known = this.#locals.get(root);
    if (known !== undefined) return known;
    const eraseTrashAfterMs = KEEP_TRASH_MS;
    const disk = await LocalDisk.open({ root, clusterId, clock, adopt, eraseTrashAfterMs });
    this.#locals.set(root, disk);
    return disk;
  }

  async #client(address: string): Promise<FilerClient> {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = await this.#open(address, 'coordinator', this.#claims);
    this.#clients.set(address, client);
    await this.#checkNewest(client);
    return client;
  }

  /** A data directory that was restored knows nothing of what was written after it was copied. */
  async #checkNewest(client: FilerClient): Promise<void> {
    const epoch = this.#epoch ?? 0;
    const lastEpoch = Math.max(0, ...client.state.disks.map((disk) => disk.lastEpoch));
    if (lastEpoch <= epoch) return;
    await returnEpoch(this.#epochPath, epoch);
    const message = 'The filers have been written to by a server whose data is newer than this '
      + 'copy of it. Let that one run. If it is gone for good, and this copy is the newest there '
      + `is, write {"epoch": ${lastEpoch}} into epoch.json here and start again.`;
    throw new HoldfastError('conflict', OP, message, {
      code: 'stale-epoch', facts: { epoch, lastEpoch },
    });
  }

  get #epochPath(): string {
    return join(this.#options.dataPath, 'epoch.json');
  }

  async #open(
    address: string, role: 'coordinator' | 'reader', claims: DiskClaims,
  ): Promise<FilerClient> {
    const { instanceId, within, clock, random, settings: { filerCaPath } } = this.#options;
    this.#epoch ??= await nextEpoch(this.#epochPath);
    const client = FilerClient.open({
      address: parseListenAddress(address), ...(await this.#key()),
      readKeys: () => this.#key(), coordinatorId: instanceId,
      epoch: this.#epoch, clock, random, role, claims,
      ...(within !== undefined && { home: instanceId }),
      ...(filerCaPath !== undefined && { tls: { ca: await readFile(filerCaPath) } }),
    });
    await connected(client, clock);
    return client;
  }

  async #key(): Promise<ClusterKey> {
    const { dataPath, within = dataPath, settings } = this.#options;
    return readClusterKey(settings.clusterKeyPath ?? join(within, 'cluster.key'));
  }

  /** Without a key there are no other machines, and the data directory's own id will do: a key that
   *  is made later carries the same one. */
  async #clusterId(): Promise<string> {
    if (this.#options.within !== undefined) return this.#options.instanceId;
    try {
      return (await this.#key()).clusterId;
    } catch (error) {
      if (isKind(error, 'not-found')) return this.#options.instanceId;
      throw error;
    }
  }
}

/** `folder`: where it lies on this machine, if it does; then its volumes can be read around the
 *  system's cache. */
function verifiedDisk(link: DiskLink, folder: string | undefined): VerifiedDisk {
  return {
    id: link.id,
    files: {
      list: () => link.call(0, (files) => files.list()),
      open: async (name, how, wish) => {
        const file = await link.open(name, how);
        if (wish !== 'disk' || folder === undefined) return file;
        await file.close(); // It was opened to see that the right disk is mounted there.
        return new LocalFolder(folder).open(name, how, wish);
      },
    },
  };
}

function foundAt(address: string, client: FilerClient): FoundDisk[] {
  const { filerId, failure } = client.state;
  if (filerId === undefined) throw failure ?? invalid('The filer does not answer.');
  return client.disks().map((disk) => ({
    disk, where: `filer:${address}/${disk.id}`, host: `filer-${filerId.slice(0, 8)}`,
  }));
}

async function connected(client: FilerClient, clock: Clock): Promise<void> {
  const endMs = clock.monotonic() + FILER_WAIT_MS;
  while (!client.state.isConnected && client.state.failure === undefined) {
    if (clock.monotonic() > endMs) return;
    await new Promise<void>((resolve) => {
      clock.after(20, resolve);
    });
  }
}

/** Goes by the disks that there are whenever somebody asks. */
function policyOf(
  settings: FleetSettings, disks: () => readonly Pick<VolumeDisk, 'labels' | 'state'>[],
): ReplicationPolicy {
  const { domain } = settings;
  const copiesNow = (): number => {
    if (settings.copies !== 0) return settings.copies;
    const inUse = disks().filter(({ state }) => state !== 'retired');
    return usualPolicy(new Set(inUse.map(({ labels }) => labels[domain])).size).copies;
  };
  return {
    domain,
    get copies() {
      return copiesNow();
    },
    get acksMin() {
      return settings.acksMin === 0 ? Math.min(2, copiesNow()) : settings.acksMin;
    },
  };
}

/** A disk that is away may come back. One that another server is using must stop us. */
async function failsOnlyIfForeign(disk: MountedDisk): Promise<void> {
  try {
    await disk.mount();
  } catch (error) {
    if (isKind(error, 'conflict') && error.code === 'data-locked') throw error;
  }
}

/** So that the list of disks names the volume, and what can be put together is. */
function lookAgain({ kind, volumeId }: VolumeFinding, repair: RepairWorker, log: Logger): void {
  if (kind !== 'damaged-block' && kind !== 'damaged-range') return;
  repair.propose({ volumeId }).catch((err: unknown) => {
    log.warn({ err, volumeId }, 'a damaged volume could not be looked at');
  });
}

const GOOD_NEWS: ReadonlySet<CopyFinding['kind']> = new Set([
  'copy-made', 'copy-let-go', 'disk-returned', 'set-made', 'set-ends', 'set-ended', 'parity-made',
  'parity-let-go',
]);

function tell(log: Logger, finding: CopyFinding): void {
  const isGood = GOOD_NEWS.has(finding.kind);
  log[isGood ? 'info' : 'warn']({ finding }, 'copies of volumes');
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid', OP, message);
}
