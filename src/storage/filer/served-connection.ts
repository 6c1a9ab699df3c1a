import type { Socket } from 'node:net';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { Clock, Random } from '../../platform/index.ts';
import { FieldWriter } from './fields.ts';
import { badFrame } from './frame-fault.ts';
import { FrameSocket, type SocketTimeouts } from './frame-socket.ts';
import type { Frame } from './frame.ts';
import {
  decodeHello, encodeChallenge, isProof, NONCE_BYTES, proofOf, refused, sealOf, versionFor,
  type Hello, type Transcript,
} from './handshake.ts';
import { encodeWelcome, HANDSHAKE_LIMITS, MESSAGE, SESSION_LIMITS } from './messages.ts';
import { handleRequest, replyBytesOf } from './request-table.ts';
import { ServedSession, type Admission } from './served-session.ts';
import { encodeError } from './wire-error.ts';

export interface ServedLimits extends SocketTimeouts {
  handshakeTimeoutMs: number;
  /** Of requests and their answers, per connection; above it no more are taken. */
  inFlightBytesMax: number;
  inFlightRequestsMax: number;
}

export interface ConnectionParts {
  key: Buffer;
  clusterId: string;
  filerId: string;
  /** See `channelOf`. */
  channel: Buffer;
  clock: Clock;
  random: Random;
  limits: ServedLimits;
  /** Lets a peer that has proved itself in, or throws why not. Until it has resolved the peer
   *  waits; after it the fences hold. */
  admit: (connection: ServedConnection, hello: Hello) => Promise<Admission>;
  /** Throws when that peer must not write any more. */
  checkWriter: (hello: Hello) => void;
  /** Once, when it is over and nothing is under way for it any more. */
  onEnd: (connection: ServedConnection, reason: Error) => void;
}

/** What a request takes besides its bytes. */
const REQUEST_BYTES = 512;

/** The filer's end of one connection: the handshake, then requests until it ends. */
export class ServedConnection {
  readonly #parts: ConnectionParts;
  readonly #frames: FrameSocket;
  readonly #stopTimer: () => void;
  #hello: { said: Buffer; hello: Hello } | undefined;
  #transcript: Transcript | undefined;
  #hasProved = false;
  #session: ServedSession | undefined;
  #inFlightBytes = 0;
  #inFlight = 0;
  #isPaused = false;
  #ended: Promise<void> | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    const { clock, limits } = parts;
    this.#parts = parts;
    this.#frames = new FrameSocket(socket, clock, { ...limits, limits: HANDSHAKE_LIMITS });
    this.#frames.onFrame = (frame) => this.#take(frame);
    this.#frames.onEnd = (reason) => this.#onEnd(reason);
    this.#frames.onDrain = () => this.#relieve();
    this.#stopTimer = clock.after(limits.handshakeTimeoutMs, () => {
      if (this.#session === undefined) this.#frames.end(badFrame('no handshake in time'));
    });
  }

  get session(): ServedSession | undefined {
    return this.#session;
  }

  /** Who it is, once that is proved. */
  get peer(): Hello | undefined {
    return this.#hasProved ? this.#hello?.hello : undefined;
  }

  /** Cuts it off, and resolves when nothing is under way for it any more. */
  end(reason: Error): Promise<void> {
    this.#frames.end(reason);
    return this.#ended ?? Promise.resolve();
  }

  #onEnd(reason: Error): void {
    this.#stopTimer();
    this.#ended = (this.#session?.end() ?? Promise.resolve()).then(() => {
      this.#parts.onEnd(this, reason);
    });
  }

  #take(frame: Frame): void {
    try {
      if (this.#session !== undefined) this.#request(this.#session, frame);
      else if (this.#hello === undefined) this.#takeHello(frame);
      else if (this.#transcript !== undefined && !this.#hasProved) this.#takeProof(frame);
      else throw badFrame('a message before its time');
    } catch (error) {
      this.#refuse(error);
    }
  }

  #takeHello({ type, fields }: Frame): void {
    if (type !== MESSAGE.hello) throw badFrame('no hello');
    const { key, clusterId, filerId, channel, random } = this.#parts;
    const hello = decodeHello(fields);
    if (hello.clusterId !== clusterId) throw refused('foreign-cluster');
    const said = Buffer.from(fields);
    this.#hello = { said, hello };
    const nonce = random.bytes(NONCE_BYTES);
    const challenge = encodeChallenge({ version: versionFor(hello.home), filerId, nonce });
    this.#transcript = {
      hello: said, challenge, clientNonce: hello.nonce, serverNonce: nonce, channel,
    };
    const proof = proofOf(key, 'filer', this.#transcript);
    this.#frames.send({
      type: MESSAGE.challenge, id: 0, fields: Buffer.concat([challenge, proof]),
    });
  }

  #takeProof({ type, fields }: Frame): void {
    const { key } = this.#parts;
    const transcript = this.#transcript as Transcript;
    if (type === MESSAGE.refusal) throw refused('wrong-key');
    if (type !== MESSAGE.proof) throw badFrame('no proof');
    if (!isProof(key, 'coordinator', transcript, fields)) throw refused('wrong-key');
    this.#hasProved = true;
    const sending = sealOf(key, 'filer', transcript);
    this.#frames.secure({ sending, receiving: sealOf(key, 'coordinator', transcript) },
      SESSION_LIMITS);
    void this.#admit();
  }

  async #admit(): Promise<void> {
    const { hello } = this.#hello as { hello: Hello };
    try {
      const admission = await this.#parts.admit(this, hello);
      if (this.#frames.isEnded) return;
      this.#stopTimer();
      this.#session = new ServedSession(hello, admission, () => this.#parts.checkWriter(hello));
      const offered = admission.disks.map(({ id, fence }) => ({
        diskId: id, lastEpoch: fence.writer?.epoch ?? 0,
      }));
      this.#frames.send({ type: MESSAGE.welcome, id: 0, fields: encodeWelcome(offered) });
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Says why, by a word, and hangs up. */
  #refuse(error: unknown): void {
    const known = error instanceof HoldfastError ? error : badFrame('something unreadable');
    const code = new FieldWriter().text(known.code ?? '').done();
    this.#frames.send({ type: MESSAGE.refusal, id: 0, fields: code });
    this.#frames.end(known, true);
  }

  #request(session: ServedSession, frame: Frame): void {
    const bytes = REQUEST_BYTES + frame.fields.length + frame.data.length + replyBytesOf(frame);
    this.#inFlight += 1;
    this.#inFlightBytes += bytes;
    this.#relieve();
    void this.#answer(session, frame).finally(() => {
      this.#inFlight -= 1;
      this.#inFlightBytes -= bytes;
      this.#relieve();
    });
  }

  async #answer(session: ServedSession, frame: Frame): Promise<void> {
    try {
      const { fields, data = [] } = await handleRequest(session, frame);
      this.#frames.send({ type: MESSAGE.done, id: frame.id, fields, data });
    } catch (error) {
      if (isKind(error, 'invalid') && error.code === 'bad-frame') this.#refuse(error);
      else this.#frames.send({ type: MESSAGE.failed, id: frame.id, fields: encodeError(error) });
    }
  }

  /** Takes requests only while there is room for them and for what waits to be sent. */
  #relieve(): void {
    const { inFlightBytesMax, inFlightRequestsMax } = this.#parts.limits;
    const full = this.#inFlightBytes > inFlightBytesMax || this.#inFlight > inFlightRequestsMax ||
      this.#frames.waitingBytes > inFlightBytesMax;
    if (full === this.#isPaused) return;
    this.#isPaused = full;
    if (full) this.#frames.pause();
    else this.#frames.resume();
  }
}
