import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { isKind } from '../../base/errors.ts';
import type { Clock, ListenAddress, Random } from '../../platform/index.ts';
import { FieldReader } from './fields.ts';
import { badFrame } from './frame-fault.ts';
import { channelOf, FrameSocket, type SocketTimeouts } from './frame-socket.ts';
import type { Frame } from './frame.ts';
import {
  decodeChallenge, encodeHello, isProof, NONCE_BYTES, proofOf, readRefusal, refused, sealOf,
  versionFor, type Role, type Transcript,
} from './handshake.ts';
import {
  decodeWelcome, HANDSHAKE_LIMITS, MESSAGE, SESSION_LIMITS, type WelcomedDisk,
} from './messages.ts';
import { decodeError, filerLost } from './wire-error.ts';

export interface LinkLimits extends SocketTimeouts {
  /** From dialling to the welcome. */
  connectTimeoutMs: number;
  /** A request that is not answered by then is given up. */
  requestTimeoutMs: number;
  /** How often to ask whether the filer itself is there. It answers that at once, whatever its
   *  disks do. */
  pingEveryMs: number;
  /** A ping that is not answered by then takes the whole connection with it. */
  pingTimeoutMs: number;
  /** Of requests and their answers; above it further ones wait. */
  inFlightBytesMax: number;
  /** Requests that may wait; above it they are refused as busy. */
  waitingRequestsMax: number;
}

export interface DialOptions {
  address: ListenAddress;
  key: Buffer;
  /** A filer that proves this one is taken too: it was not given the new one yet. */
  previousKey?: Buffer | undefined;
  clusterId: string;
  /** Whose part of the disks is meant, if not that of the cluster's own home. */
  home?: string | undefined;
  /** Refused when another one answers; any, if undefined. */
  filerId: string | undefined;
  role: Role;
  coordinatorId: string;
  epoch: number;
  lane: string;
  clock: Clock;
  random: Random;
  /** TLS is spoken if this is there; only certificates of these authorities are taken. */
  tls: { ca: Buffer | string } | undefined;
  limits: LinkLimits;
}

export interface Answer {
  fields: FieldReader;
  data: Buffer;
}

interface Pending {
  dueMs: number;
  isPing: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

const ID_END = 0x1_0000_0000;
const CHECKS_PER_TIMEOUT = 10;
/** Requests that were given up and whose answers may still come. */
const GIVEN_UP_MAX = 4096;

/** The coordinator's end of one connection, from the welcome on. */
export class FilerConnection {
  readonly filerId: string;
  readonly disks: readonly WelcomedDisk[];
  /** Once, with the reason; everything in flight has been rejected then. */
  onEnd: (reason: Error) => void = () => undefined;
  readonly #frames: FrameSocket;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #pending = new Map<number, Pending>();
  readonly #givenUp = new Set<number>();
  #lastId = 0;
  #pingedAtMs: number;
  #failure: Error | undefined;
  #stopTimer: () => void = () => undefined;

  constructor(frames: FrameSocket, { clock, limits }: DialOptions, welcome: Welcome) {
    this.filerId = welcome.filerId;
    this.disks = welcome.disks;
    this.#frames = frames;
    this.#clock = clock;
    this.#limits = limits;
    this.#pingedAtMs = clock.monotonic();
    frames.onFrame = (frame) => this.#take(frame);
    frames.onEnd = (reason) => this.#end(reason);
    this.#schedule();
  }

  /** Why it has ended. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Sends a request and resolves with its answer. The memory of `data` must stay as it is until
   * then. @throws what the filer says; unavailable: the connection has ended, or no answer came in
   * time, and whether the request was or still will be carried out is not known.
   */
  request(type: number, fields: Buffer, data?: readonly Uint8Array[]): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      const isPing = type === MESSAGE.ping;
      const { requestTimeoutMs, pingTimeoutMs } = this.#limits;
      const dueMs = this.#clock.monotonic() + (isPing ? pingTimeoutMs : requestTimeoutMs);
      this.#pending.set(id, { dueMs, isPing, resolve, reject });
      this.#frames.send({ type, id, fields, ...(data !== undefined && { data }) });
    });
  }

  /** Calm when called twice. */
  close(): void {
    this.#frames.end(filerLost('ENOTCONN'));
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) % ID_END;
    while (this.#pending.has(this.#lastId) || this.#givenUp.has(this.#lastId));
    return this.#lastId;
  }

  #take({ type, id, fields, data }: Frame): void {
    if (type === MESSAGE.refusal) {
      this.#frames.end(readRefusal(fields));
      return;
    }
    if (this.#givenUp.delete(id)) return;
    const pending = this.#pending.get(id);
    if (pending === undefined || (type !== MESSAGE.done && type !== MESSAGE.failed)) {
      throw badFrame('an answer to nothing');
    }
    this.#pending.delete(id);
    const reader = new FieldReader(fields);
    if (type === MESSAGE.done) pending.resolve({ fields: reader, data });
    else pending.reject(decodeError(reader));
  }

  #end(reason: Error): void {
    this.#stopTimer();
    this.#failure = isKind(reason, 'unavailable') ? reason : filerLost('ECONNRESET', reason);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(this.#failure);
    this.onEnd(reason);
  }

  #schedule(): void {
    const { requestTimeoutMs, pingEveryMs, pingTimeoutMs } = this.#limits;
    const shortestMs = Math.min(requestTimeoutMs, pingEveryMs, pingTimeoutMs);
    this.#stopTimer = this.#clock.after(shortestMs / CHECKS_PER_TIMEOUT, () => this.#check());
  }

  #check(): void {
    const nowMs = this.#clock.monotonic();
    for (const [id, { dueMs, isPing, reject }] of this.#pending) {
      if (dueMs > nowMs) continue;
      if (isPing || this.#givenUp.size >= GIVEN_UP_MAX) {
        this.#frames.end(filerLost('ETIMEDOUT'));
        return;
      }
      this.#pending.delete(id);
      this.#givenUp.add(id);
      reject(filerLost('ETIMEDOUT'));
    }
    if (nowMs - this.#pingedAtMs >= this.#limits.pingEveryMs) {
      this.#pingedAtMs = nowMs;
      // Whoever fails this fails with the whole connection, which is dealt with there.
      this.request(MESSAGE.ping, Buffer.alloc(0)).catch(() => undefined);
    }
    this.#schedule();
  }
}

interface Welcome {
  filerId: string;
  disks: readonly WelcomedDisk[];
}

/**
 * Dials, proves, and is welcomed.
 * @throws unavailable: nobody there, or no answer in time; conflict: another cluster, key, filer or
 * protocol, or another coordinator has this epoch; the `code` tells which.
 */
export function dialFiler(options: DialOptions): Promise<FilerConnection> {
  return new Promise((resolve, reject) => {
    const { clock, limits } = options;
    const socket = openSocket(options);
    let stopTimer = (): void => undefined;
    const fail = (reason: Error): void => {
      stopTimer();
      socket.destroy();
      reject(reason);
    };
    stopTimer = clock.after(limits.connectTimeoutMs, () => fail(filerLost('ETIMEDOUT')));
    socket.on('error', (error) => fail(filerLost('ECONNRESET', error)));
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => {
      const channel = channelOf(socket);
      if (channel === undefined) {
        fail(filerLost('ECONNRESET'));
        return;
      }
      const frames = new FrameSocket(socket, clock, { ...limits, limits: HANDSHAKE_LIMITS });
      frames.onEnd = fail;
      const handshake = new DialledHandshake(frames, options, channel);
      frames.onFrame = (frame) => {
        const welcome = handshake.take(frame);
        if (welcome === undefined) return;
        stopTimer();
        resolve(new FilerConnection(frames, options, welcome));
      };
      handshake.begin();
    });
  });
}

function openSocket({ address: { host, port }, tls: secure }: DialOptions): Socket {
  if (secure === undefined) return net.connect({ host, port, noDelay: true, keepAlive: true });
  return tls.connect({
    host, port, ca: secure.ca, minVersion: 'TLSv1.3',
    // The authority is ours alone, and the handshake that follows proves the filer by the cluster's
    // key, bound to this very channel: the name in the certificate adds nothing.
    checkServerIdentity: () => undefined,
  });
}

/** The coordinator's part of the handshake. What it throws ends the connection. */
class DialledHandshake {
  readonly #frames: FrameSocket;
  readonly #options: DialOptions;
  readonly #channel: Buffer;
  readonly #hello: Buffer;
  readonly #nonce: Buffer;
  #filerId: string | undefined;

  constructor(frames: FrameSocket, options: DialOptions, channel: Buffer) {
    this.#frames = frames;
    this.#options = options;
    this.#channel = channel;
    this.#nonce = options.random.bytes(NONCE_BYTES);
    const { role, clusterId, coordinatorId, epoch, lane, home } = options;
    const version = versionFor(home);
    this.#hello = Buffer.from(encodeHello({
      versionMin: version, versionMax: version, ...(home !== undefined && { home }),
      role, clusterId, coordinatorId, epoch, lane, nonce: this.#nonce,
    }));
  }

  begin(): void {
    this.#frames.send({ type: MESSAGE.hello, id: 0, fields: this.#hello });
  }

  take({ type, fields }: Frame): Welcome | undefined {
    if (type === MESSAGE.refusal) throw readRefusal(fields);
    if (this.#filerId === undefined && type === MESSAGE.challenge) {
      this.#prove(fields);
      return undefined;
    }
    if (this.#filerId === undefined || type !== MESSAGE.welcome) throw badFrame('no welcome');
    return { filerId: this.#filerId, disks: decodeWelcome(fields) };
  }

  #prove(fields: Buffer): void {
    const { key: first, previousKey, filerId } = this.#options;
    const challenge = decodeChallenge(fields);
    const transcript: Transcript = {
      hello: this.#hello, challenge: Buffer.from(challenge.said), clientNonce: this.#nonce,
      serverNonce: challenge.nonce, channel: this.#channel,
    };
    const key = [first, previousKey].find((one) =>
      one !== undefined && isProof(one, 'filer', transcript, challenge.proof));
    if (key === undefined) {
      // So that the filer's log tells of it too.
      this.#frames.send({ type: MESSAGE.refusal, id: 0, fields: Buffer.from([0, 0]) });
      throw refused('wrong-key');
    }
    if (filerId !== undefined && challenge.filerId !== filerId) throw refused('wrong-filer');
    this.#filerId = challenge.filerId;
    const proof = proofOf(key, 'coordinator', transcript);
    this.#frames.send({ type: MESSAGE.proof, id: 0, fields: proof });
    this.#frames.secure({
      sending: sealOf(key, 'coordinator', transcript),
      receiving: sealOf(key, 'filer', transcript),
    }, SESSION_LIMITS);
  }
}
