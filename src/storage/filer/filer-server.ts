/**
 * A filer: serves the volume files of its disks to coordinators, and nothing else.
 * docs/formats/filer-protocol.md.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock, ListenAddress, Random } from '../../platform/index.ts';
import type { VolumeFiles } from '../backends/local/volume-files.ts';
import { cloned } from './disk-claims.ts';
import type { Adoption } from './disk-identity.ts';
import { checkKey, refused, uuidBytes, type Hello } from './handshake.ts';
import { channelOf } from './frame-socket.ts';
import { LocalDisk } from './local-disk.ts';
import { ServedConnection, type ServedLimits } from './served-connection.ts';
import { orTooLate, ServedHome } from './served-home.ts';
import { ServedHomes } from './served-homes.ts';
import type { Admission } from './served-session.ts';
import { filerLost } from './wire-error.ts';

export interface FilerRoot {
  path: string;
  /** `never` unless said. */
  adopt?: Adoption;
  reserveBytes?: number;
  /** See LocalDiskOptions; never, unless said. */
  eraseTrashAfterMs?: number;
  /** Instead of the files at `path`, for tests. */
  files?: VolumeFiles;
}

/** Something an operator should hear of. */
export type FilerFinding =
  | { kind: 'disk-refused'; root: string; reason: HoldfastError }
  | { kind: 'peer-refused'; reason: HoldfastError; remoteAddress: string | undefined }
  | { kind: 'fence-failed'; diskId: string; reason: unknown };

export interface FilerServerOptions {
  listen: ListenAddress;
  roots: readonly FilerRoot[];
  /** The cluster's secret, 32 bytes or more. */
  key: Buffer;
  clusterId: string;
  filerId: string;
  clock: Clock;
  random: Random;
  /** Certificate chain and key, in PEM. */
  tls?: { cert: Buffer | string; key: Buffer | string };
  limits?: Partial<FilerLimits>;
  /** Must not throw. */
  onFinding?: (finding: FilerFinding) => void;
}

export interface FilerLimits extends ServedLimits {
  connectionsMax: number;
  /** A new connection waits so long for what older ones have begun; then it gets the disks that
   *  are done, and the others when they are. Less than the other side waits for its welcome. */
  settleTimeoutMs: number;
  /** `close` waits so long for disks that do not answer. */
  closeTimeoutMs: number;
}

export const FILER_LIMITS: Readonly<FilerLimits> = {
  connectionsMax: 192,
  settleTimeoutMs: 2_000,
  closeTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  frameTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  inFlightBytesMax: 64 * 1024 ** 2,
  inFlightRequestsMax: 1024,
};

export interface RefusedDisk {
  readonly root: string;
  readonly reason: HoldfastError;
}

export class FilerServer {
  readonly #options: FilerServerOptions;
  readonly #limits: FilerLimits;
  #key: Buffer;
  readonly #server: net.Server | tls.Server;
  readonly #own: ServedHome;
  readonly #homes: ServedHomes;
  readonly #refused: readonly RefusedDisk[];
  readonly #connections = new Set<ServedConnection>();
  #closing: Promise<void> | undefined;

  private constructor(options: FilerServerOptions, opened: OpenedDisks) {
    this.#options = options;
    this.#key = options.key;
    this.#limits = { ...FILER_LIMITS, ...options.limits };
    this.#refused = opened.refused;
    this.#own = this.#makeHome();
    this.#own.add(opened.disks);
    this.#homes = new ServedHomes({
      own: this.#own, makeHome: () => this.#makeHome(),
      onRefused: ({ id }, reason) => (
        options.onFinding?.({ kind: 'disk-refused', root: `part of ${id}`, reason })),
    });
    const rules = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 };
    this.#server = options.tls === undefined
      ? net.createServer(rules, (socket) => this.#accept(socket))
      : tls.createServer({
        ...rules, ...options.tls, minVersion: 'TLSv1.3',
        handshakeTimeout: this.#limits.handshakeTimeoutMs,
      }, (socket) => this.#accept(socket));
    this.#server.maxConnections = this.#limits.connectionsMax * 2;
  }

  /**
   * Opens the disks and listens. A disk that is not ours, of a newer version, a clone of another
   * one, or does not answer is left alone and told of; the others are served.
   * @throws conflict, corrupt, unavailable: not one disk can be served, for the first one's reason;
   * unavailable: cannot listen there; invalid: no disk, a short key, or an id that is no UUID.
   */
  static async start(options: FilerServerOptions): Promise<FilerServer> {
    checkKey(options.key);
    uuidBytes(options.clusterId);
    uuidBytes(options.filerId);
    if (options.roots.length === 0) {
      const message = 'A filer needs a disk. Name the folder of one at least.';
      throw new HoldfastError('invalid', 'storage/FilerServer.start', message, {
        code: 'no-disk',
      });
    }
    const opened = await openDisks(options);
    const server = new FilerServer(options, opened);
    try {
      for (const { root, reason } of opened.refused) {
        options.onFinding?.({ kind: 'disk-refused', root, reason });
      }
      const [first] = opened.refused;
      if (opened.disks.length === 0 && first !== undefined) throw first.reason;
      await server.#listen();
    } catch (error) {
      await Promise.all(opened.disks.map((disk) => disk.close()));
      throw error;
    }
    return server;
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  get disks(): readonly LocalDisk[] {
    return this.#own.disks;
  }

  /** Homes of tenants for which parts of the disks are in use. */
  get homeCount(): number {
    return this.#homes.count;
  }

  get refusedDisks(): readonly RefusedDisk[] {
    return this.#refused;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** New connections are made with these; those that are there stay. All is checked before any of
   *  it is taken. @throws invalid: a short key, or a certificate that does not fit its key. */
  renew({ key, tls: certificate }: Pick<FilerServerOptions, 'key' | 'tls'>): void {
    checkKey(key);
    if (certificate !== undefined && this.#server instanceof tls.Server) {
      try {
        this.#server.setSecureContext({ ...certificate, minVersion: 'TLSv1.3' });
      } catch (cause) {
        const message = 'The TLS certificate or key is not usable. The old one stays in use.';
        throw new HoldfastError('invalid', 'storage/FilerServer.renew', message, { cause });
      }
    }
    this.#key = key;
  }

  /** Ends every connection, finishes what is under way, and lets go of the disks. It does not wait
   *  for ever: what a disk has not finished in time nobody was told of, and the disks stay locked
   *  until that is over or the process ends, so that nobody else writes meanwhile. */
  close(): Promise<void> {
    const { closeTimeoutMs } = this.#limits;
    this.#closing ??= orTooLate(this.#close(), closeTimeoutMs, this.#options.clock);
    return this.#closing;
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const reason = refused('stopping');
    await Promise.all([...this.#connections].map((connection) => connection.end(reason)));
    await stopped;
    await this.#homes.close();
  }

  #makeHome(): ServedHome {
    const { settleTimeoutMs } = this.#limits;
    const { clock, onFinding } = this.#options;
    return new ServedHome({
      clock, settleTimeoutMs, connections: this.#connections,
      onFenceFailed: (diskId, reason) => onFinding?.({ kind: 'fence-failed', diskId, reason }),
    });
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = 'The filer cannot listen on its address. Choose another one.';
        reject(new HoldfastError('unavailable', 'storage/FilerServer.start', message, {
          cause, facts: { host, port },
        }));
      });
      this.#server.listen({ host, port, backlog: 128 }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', () => undefined); // Of one socket only: the others go on.
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    const { remoteAddress } = socket; // Unknown once it has ended.
    const { clusterId, filerId, clock, random } = this.#options;
    const key = this.#key;
    socket.on('error', () => undefined); // Whoever uses it listens too.
    const isFull = this.#connections.size >= this.#limits.connectionsMax;
    const channel = channelOf(socket);
    if (this.#closing !== undefined || isFull || channel === undefined) {
      socket.destroy();
      return;
    }
    this.#connections.add(new ServedConnection(socket, {
      key, clusterId, filerId, channel, clock, random, limits: this.#limits,
      admit: (connection, hello) => this.#admit(connection, hello),
      checkWriter: (hello) => this.#checkWriter(hello),
      onEnd: (connection, reason) => {
        this.#connections.delete(connection);
        const expected = reason instanceof HoldfastError && reason.kind === 'unavailable';
        if (!expected || connection.peer === undefined) this.#tell(reason, remoteAddress);
      },
    }));
  }

  #tell(reason: Error, remoteAddress: string | undefined): void {
    const known = reason instanceof HoldfastError ? reason : filerLost('ECONNRESET', reason);
    this.#options.onFinding?.({ kind: 'peer-refused', reason: known, remoteAddress });
  }

  async #admit(connection: ServedConnection, hello: Hello): Promise<Admission> {
    if (this.#closing !== undefined) throw refused('stopping');
    const home = await this.#homes.of(hello);
    return home.admit(connection, hello);
  }

  #checkWriter(hello: Hello): void {
    if (hello.role !== 'coordinator') {
      const message = 'This connection was opened for reading only.';
      throw new HoldfastError('denied', 'storage/filer', message, { code: 'reader' });
    }
    this.#homes.find(hello)?.checkWriter(hello);
  }
}

interface OpenedDisks {
  disks: LocalDisk[];
  refused: RefusedDisk[];
}

async function openDisks(options: FilerServerOptions): Promise<OpenedDisks> {
  const { roots, clusterId, clock } = options;
  const opened: { root: string; disk: LocalDisk }[] = [];
  const refusals: RefusedDisk[] = [];
  for (const { path: root, ...rest } of roots) {
    try {
      opened.push({ root, disk: await LocalDisk.open({ root, clusterId, clock, ...rest }) });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      refusals.push({ root, reason: error });
    }
  }
  const disks: LocalDisk[] = [];
  for (const { root, disk } of opened) {
    const twins = opened.filter((other) => other.disk.id === disk.id);
    if (twins.length === 1) {
      disks.push(disk);
      continue;
    }
    // Nobody can tell which of the two is the true one: an operator has to.
    await disk.close();
    refusals.push({ root, reason: cloned(disk.id) });
  }
  return { disks, refused: refusals };
}
