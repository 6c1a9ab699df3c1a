import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../platform/index.ts';
import {
  encodeFrame, FrameDecoder, type Frame, type FrameLimits, type FrameParts,
} from './frame.ts';
import type { FrameSeal } from './frame-seal.ts';
import { badFrame } from './frame-fault.ts';
import { CHANNEL_LABEL, NO_CHANNEL } from './handshake.ts';
import { filerLost } from './wire-error.ts';

export interface SocketTimeouts {
  /** A frame that has begun must be complete after this. */
  frameTimeoutMs: number;
  /** The other side must take what waits for it, some of it at least, within this. */
  drainTimeoutMs: number;
  /** Nothing at all came for this long. */
  idleTimeoutMs: number;
}

const CHECKS_PER_TIMEOUT = 4;

/** Frames over one socket. It ends once, with one reason, whoever notices first. */
export class FrameSocket {
  onFrame: (frame: Frame) => void = () => undefined;
  onEnd: (reason: Error) => void = () => undefined;
  /** All that waited for the other side has been taken. */
  onDrain: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #timeouts: SocketTimeouts;
  readonly #decoder: FrameDecoder;
  #seal: FrameSeal | undefined;
  #ended = false;
  #lastHeardMs: number;
  #partialSinceMs: number | undefined;
  #waitingSinceMs: number | undefined;
  #takenBytes = 0;
  #stopTimer: () => void = () => undefined;

  constructor(socket: Socket, clock: Clock, options: SocketTimeouts & { limits: FrameLimits }) {
    this.#socket = socket;
    this.#clock = clock;
    this.#timeouts = options;
    this.#decoder = new FrameDecoder(options.limits);
    this.#lastHeardMs = clock.monotonic();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error) => this.end(filerLost('ECONNRESET', error)));
    socket.on('close', () => this.end(filerLost('ECONNRESET')));
    socket.on('end', () => this.end(filerLost('ECONNRESET')));
    this.#schedule();
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Bytes that the other side has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** From now on every frame is sealed, in both directions, and larger ones are allowed. */
  secure(seals: { sending: FrameSeal; receiving: FrameSeal }, limits: FrameLimits): void {
    this.#seal = seals.sending;
    this.#decoder.seal = seals.receiving;
    this.#decoder.limits = limits;
  }

  /** The memory of `data` must stay as it is until the answer is there or the connection ended. */
  send(parts: FrameParts): void {
    if (this.#ended) return;
    const pieces = encodeFrame(parts, this.#seal);
    if (pieces.length === 1) {
      this.#socket.write(pieces[0] as Uint8Array);
      return;
    }
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** Stops taking frames until `resume`; a few that have arrived already still come. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#ended && this.#socket.isPaused()) this.#socket.resume();
  }

  /** Calm when called twice. `politely` lets what was sent last go out. */
  end(reason: Error, politely = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer();
    if (politely) {
      this.#socket.destroySoon();
      this.#clock.after(this.#timeouts.drainTimeoutMs, () => this.#socket.destroy());
    } else {
      this.#socket.destroy();
    }
    this.onEnd(reason);
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    this.#lastHeardMs = this.#clock.monotonic();
    try {
      this.#decoder.push(chunk, (frame) => {
        if (!this.#ended) this.onFrame(frame);
        this.#partialSinceMs = undefined;
      });
    } catch (error) {
      this.end(error instanceof Error ? error : badFrame('something unreadable'));
      return;
    }
    if (this.#decoder.isPartial) this.#partialSinceMs ??= this.#lastHeardMs;
  }

  #schedule(): void {
    const { frameTimeoutMs, drainTimeoutMs, idleTimeoutMs } = this.#timeouts;
    const shortestMs = Math.min(frameTimeoutMs, drainTimeoutMs, idleTimeoutMs);
    this.#stopTimer = this.#clock.after(shortestMs / CHECKS_PER_TIMEOUT, () => this.#check());
  }

  #check(): void {
    const nowMs = this.#clock.monotonic();
    const { frameTimeoutMs, drainTimeoutMs, idleTimeoutMs } = this.#timeouts;
    const waiting = this.#socket.writableLength;
    const taken = this.#socket.bytesWritten - waiting;
    // Some of it was taken, or all of it: the other side is slow, not gone.
    if (waiting === 0 || taken > this.#takenBytes) this.#waitingSinceMs = undefined;
    this.#takenBytes = taken;
    if (waiting > 0) this.#waitingSinceMs ??= nowMs;
    const paused = this.#socket.isPaused();
    const slow = nowMs - (this.#partialSinceMs ?? nowMs) > frameTimeoutMs && !paused;
    const stuck = nowMs - (this.#waitingSinceMs ?? nowMs) > drainTimeoutMs;
    const silent = nowMs - this.#lastHeardMs > idleTimeoutMs && !paused;
    if (slow || stuck || silent) this.end(filerLost('ETIMEDOUT'));
    else this.#schedule();
  }
}

/** What only the two ends of this TLS connection know; NO_CHANNEL without TLS; undefined when the
 *  connection has ended already. */
export function channelOf(socket: Socket): Buffer | undefined {
  if (!('exportKeyingMaterial' in socket)) return NO_CHANNEL;
  const secure = socket as TLSSocket;
  try {
    return secure.exportKeyingMaterial(NO_CHANNEL.length, CHANNEL_LABEL, Buffer.alloc(0));
  } catch {
    return undefined; // It says so only by throwing.
  }
}
