/**
 * The way to one filer and its disks, over two connections: one for what changes, one for reads.
 * docs/formats/filer-protocol.md.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock, ListenAddress, Random } from '../../platform/index.ts';
import { cloned, type DiskClaims } from './disk-claims.ts';
import type { FilerConnection, LinkLimits } from './filer-connection.ts';
import { FilerDisk, type Reach } from './filer-disk.ts';
import { FilerLink, type FilerKeys, type Backoff } from './filer-link.ts';
import { checkKey, isUuid, refused, type Role } from './handshake.ts';
import { filerLost } from './wire-error.ts';

export interface FilerClientOptions {
  address: ListenAddress;
  /** The cluster's secret, 32 bytes or more. */
  key: Buffer;
  /** See FilerLink: the keys at that moment, for later connections too. */
  readKeys?: () => Promise<FilerKeys>;
  clusterId: string;
  /** Whose part of the disks is meant, if not that of the cluster's own home: a UUID. */
  home?: string | undefined;
  /** Refused when another filer answers. Unless said, the first one that answers is it. */
  filerId?: string;
  /** Unless said, a coordinator. */
  role?: Role;
  /** A UUID: one for each coordinator, the same after a restart. */
  coordinatorId: string;
  /** Whoever comes later has a higher one. */
  epoch: number;
  clock: Clock;
  random: Random;
  /** TLS is spoken if this is there; only certificates of these authorities, in PEM, are taken. */
  tls?: { ca: Buffer | string };
  limits?: Partial<LinkLimits>;
  backoff?: Partial<Backoff>;
  /** Shared by all filers' clients of one coordinator: finds a disk that is at two of them. */
  claims?: DiskClaims;
  /** After each change for better or worse. Must not throw. */
  onState?: (state: FilerState) => void;
}

export interface FilerState {
  /** Both connections are there. */
  readonly isConnected: boolean;
  /** Since when, by the clock's `monotonic`. */
  readonly sinceMs: number;
  readonly filerId: string | undefined;
  /** Why not. */
  readonly failure: HoldfastError | undefined;
  readonly disks: readonly { readonly diskId: string; readonly lastEpoch: number }[];
}

const LINK_LIMITS: Readonly<LinkLimits> = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  pingEveryMs: 2_000,
  pingTimeoutMs: 8_000,
  frameTimeoutMs: 30_000,
  drainTimeoutMs: 10_000,
  idleTimeoutMs: 20_000,
  inFlightBytesMax: 64 * 1024 ** 2,
  waitingRequestsMax: 4096,
};
const BACKOFF: Readonly<Backoff> = { firstMs: 100, longestMs: 5_000 };

type Lane = 'write' | 'read';
const LANES: readonly Lane[] = ['write', 'read'];

export class FilerClient {
  readonly #options: FilerClientOptions;
  readonly #links: Readonly<Record<Lane, FilerLink>>;
  readonly #disks = new Map<string, FilerDisk>();
  #filerId: string | undefined;
  #state: FilerState;

  private constructor(options: FilerClientOptions) {
    checkKey(options.key);
    this.#options = options;
    this.#filerId = options.filerId;
    this.#links = { write: this.#makeLink('write'), read: this.#makeLink('read') };
    this.#state = {
      isConnected: false, sinceMs: options.clock.monotonic(), filerId: options.filerId,
      failure: undefined, disks: [],
    };
  }

  /**
   * Connects, and from then on again whenever the connection is lost, until `close`.
   * @throws unavailable: nobody there; conflict: another cluster, key, filer or protocol, or
   * another coordinator has this epoch. Then nothing goes on behind the caller's back.
   */
  static async connect(options: FilerClientOptions): Promise<FilerClient> {
    const client = new FilerClient(options);
    try {
      await client.#links.write.connect();
      await client.#links.read.connect();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** The same for a filer that need not be there yet: it is tried until it is, or until `close`. */
  static open(options: FilerClientOptions): FilerClient {
    const client = new FilerClient(options);
    for (const lane of LANES) client.#links[lane].connect().catch(() => undefined);
    return client;
  }

  get state(): FilerState {
    return this.#state;
  }

  /** The disks that the filer has now; none before it was first reached. */
  disks(): FilerDisk[] {
    return this.#state.disks.map(({ diskId }) => this.disk(diskId));
  }

  /** A disk by its id, also one that is not there at the moment: it answers `unavailable`. */
  disk(diskId: string): FilerDisk {
    let disk = this.#disks.get(diskId);
    if (disk === undefined) {
      if (!isUuid(diskId)) {
        throw new HoldfastError('invalid', 'storage/FilerClient.disk', 'A disk id is a UUID.');
      }
      disk = new FilerDisk(diskId, (lane) => this.#reach(diskId, lane));
      this.#disks.set(diskId, disk);
    }
    return disk;
  }

  /** Calm when called twice. What is in flight is rejected. */
  close(): void {
    for (const lane of LANES) this.#links[lane].close();
    if (this.#filerId !== undefined) this.#options.claims?.release(this.#filerId);
    if (this.#state.isConnected) this.#setState({ isConnected: false });
  }

  #makeLink(lane: Lane): FilerLink {
    const { role = 'coordinator', tls, limits, backoff, ...rest } = this.#options;
    const { filerId } = this.#options;
    return new FilerLink({
      ...rest, role, lane, filerId, tls,
      limits: { ...LINK_LIMITS, ...limits },
      backoff: { ...BACKOFF, ...backoff },
      onWelcome: (connection) => this.#welcomed(connection),
      onLost: (reason) => this.#lost(reason),
    });
  }

  #welcomed(connection: FilerConnection): void {
    this.#filerId ??= connection.filerId;
    if (connection.filerId !== this.#filerId) throw refused('wrong-filer');
    this.#options.claims?.claim(this.#filerId, connection.disks.map(({ diskId }) => diskId));
    this.#setState({
      isConnected: LANES.every((lane) => this.#links[lane].connection !== undefined),
      filerId: this.#filerId, disks: connection.disks, failure: undefined,
    });
  }

  #lost(reason: Error): void {
    const failure = reason instanceof HoldfastError ? reason : undefined;
    this.#setState({ isConnected: false, failure });
  }

  #setState(change: Partial<FilerState>): void {
    const { isConnected } = this.#state;
    const next = { ...this.#state, ...change };
    const turned = next.isConnected !== isConnected;
    const sinceMs = turned ? this.#options.clock.monotonic() : this.#state.sinceMs;
    this.#state = { ...next, sinceMs };
    this.#options.onState?.(this.#state);
  }

  #reach(diskId: string, lane: Lane): Reach {
    const link = this.#links[lane];
    const { connection } = link;
    if (connection === undefined) throw filerLost('ENOTCONN', link.failure);
    if (this.#filerId !== undefined && this.#options.claims?.isCloned(diskId) === true) {
      throw cloned(diskId);
    }
    const number = connection.disks.findIndex((disk) => disk.diskId === diskId);
    if (number >= 0) return { link, connection, number };
    const message = 'The filer does not have this disk now. Is it plugged in and mounted?';
    throw new HoldfastError('unavailable', 'storage/filer', message, {
      code: 'ENODEV', facts: { diskId },
    });
  }
}
