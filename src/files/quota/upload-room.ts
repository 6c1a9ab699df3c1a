/**
 * Room for uploads under way, where there is a quota: an upload reserves what it is about to take
 * before it reads its body, so that of many at once none reads gigabytes for a refusal, and all of
 * them together never take more than there is.
 *
 * The store counts what is reserved as if it were used, and each commit decides once more. So what
 * is wrong here can refuse an upload too early or too late, and can never exceed a quota.
 *
 * Whoever is killed gives nothing back: a reservation ends by itself unless it is renewed, which
 * an upload does while its body keeps coming.
 */
import { randomUUID } from 'node:crypto';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import type { Instant, MetadataStore } from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import { isLinkCaller } from '../view/link-caller.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What is no larger is there before a promise could be made. Its commit decides. */
export const UNRESERVED_BYTES_MAX = 64 * KIB;
/** By so much a reservation of unknown length grows first; twice as much each time after that. */
const STEP_BYTES_MIN = MIB;
const STEP_BYTES_MAX = 64 * MIB;
/** By so much once a larger step did not fit any more. */
const LAST_STEP_BYTES = 64 * KIB;
/** Unless told otherwise, a reservation that nobody renews ends after this. */
export const RESERVATION_MS = 10 * 60 * 1000;

export interface RoomParts {
  metadata: Pick<MetadataStore, 'commit'>;
  spaces: SpaceDirectory;
  now: () => Instant;
  /** How long a reservation that nobody renews is kept. */
  reservationMs?: number | undefined;
}

interface KnownParts extends RoomParts {
  reservationMs: number;
}

export interface RoomWishes {
  spaceId: SpaceId;
  /** Chosen anew when left out. */
  reservationId?: string;
  /** Whether what it grows by is asked for exactly, or in steps: more is to come. */
  isWhole: boolean;
}

export interface Growth {
  /** What is replaced. */
  oldBytes: number;
  /** What comes; undefined: nobody knows. */
  lengthBytes: number | undefined;
}

export class UploadRooms {
  readonly #parts: KnownParts;

  constructor(parts: RoomParts) {
    this.#parts = { ...parts, reservationMs: parts.reservationMs ?? RESERVATION_MS };
  }

  /** undefined: no quota holds there, so nothing is to be reserved. Nothing is reserved yet. */
  async in(wishes: RoomWishes): Promise<UploadRoom | undefined> {
    if (!await this.#parts.spaces.isLimited(wishes.spaceId)) return undefined;
    return new UploadRoom(this.#parts, wishes);
  }

  /** Runs `work`, an upload in one go, with room for it: reserved before as far as its length is
   *  known, and given back if it fails. `work` gets undefined when it needs none.
   *  @throws quota, without numbers for visitors; what `work` throws. */
  held<T>(
    caller: Caller, spaceId: SpaceId, growth: Growth,
    work: (room: BodyRoom | undefined) => Promise<T>,
  ): Promise<T> {
    // Most uploads of this kind are small, and pay for nothing.
    if (!isLinkCaller(caller) && isUnreserved(growth)) return work(undefined);
    return this.#held(caller, spaceId, growth, work);
  }

  async #held<T>(
    caller: Caller, spaceId: SpaceId, growth: Growth,
    work: (room: BodyRoom | undefined) => Promise<T>,
  ): Promise<T> {
    let room: BodyRoom | undefined;
    try {
      if (!isUnreserved(growth)) room = await this.#reserved(spaceId, growth);
      return await work(room);
    } catch (error) {
      await room?.drop();
      throw toldTo(caller, error);
    }
  }

  async #reserved(
    spaceId: SpaceId, { oldBytes, lengthBytes }: Growth,
  ): Promise<BodyRoom | undefined> {
    const room = await this.in({ spaceId, isWhole: lengthBytes !== undefined });
    if (room === undefined) return undefined;
    const body = new BodyRoom(room, oldBytes);
    if (lengthBytes !== undefined) await body.take(lengthBytes);
    return body;
  }
}

/** What does not grow is always taken, also when the quota was lowered below what is used. */
function isUnreserved({ oldBytes, lengthBytes }: Growth): boolean {
  return lengthBytes !== undefined && lengthBytes <= Math.max(oldBytes, UNRESERVED_BYTES_MAX);
}

/** How much others have stored is not for whoever comes by a link. */
export function toldTo(caller: Caller, error: unknown): unknown {
  if (!isLinkCaller(caller) || !isKind(error, 'quota')) return error;
  const message = 'There is no room left for this here. Ask whoever gave you the link.';
  return new HoldfastError('quota', 'files/upload', message, { cause: error });
}

/** Of one body that replaces `oldBytes`. */
export class BodyRoom {
  readonly #room: UploadRoom;
  readonly #oldBytes: number;

  constructor(room: UploadRoom, oldBytes: number) {
    this.#room = room;
    this.#oldBytes = oldBytes;
  }

  get reservationId(): string {
    return this.#room.reservationId;
  }

  /** See UploadRoom.ensure; `totalBytes`: of the body so far. */
  take(totalBytes: number): Promise<void> | undefined {
    return this.#room.ensure(Math.max(0, totalBytes - this.#oldBytes));
  }

  async drop(): Promise<void> {
    await this.#room.drop();
  }
}

/** What one upload has been promised in one space. */
export class UploadRoom {
  readonly spaceId: SpaceId;
  readonly reservationId: string;
  readonly #parts: KnownParts;
  #stepBytes: number;
  #grantedBytes = 0;
  #renewAt: Instant = 0;
  /** Ends when what was asked for so far is decided: several parts may ask at once. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: KnownParts, { spaceId, reservationId, isWhole }: RoomWishes) {
    this.#parts = parts;
    this.spaceId = spaceId;
    this.reservationId = reservationId ?? randomUUID();
    this.#stepBytes = isWhole ? 0 : STEP_BYTES_MIN;
  }

  /** Sees to it that at least so much is reserved, and for some time to come. undefined: it is.
   *  @throws quota; too-large: too many reservations; busy, unavailable. */
  ensure(bytes: number): Promise<void> | undefined {
    if (this.#holds(bytes)) return undefined;
    const turn = this.#turn.then(() => this.#reserve(bytes));
    this.#turn = turn.then(noop, noop); // Who asked learns of a failure; the next tries anew.
    return turn;
  }

  #holds(bytes: number): boolean {
    if (bytes > this.#grantedBytes) return false;
    return this.#grantedBytes === 0 || this.#parts.now() < this.#renewAt;
  }

  async #reserve(bytes: number): Promise<void> {
    if (this.#holds(bytes)) return;
    // A renewal. Whoever came too late for it may have lost the part that is not needed yet.
    if (bytes < this.#grantedBytes && await this.#fits(this.#grantedBytes)) return;
    if (this.#stepBytes > 0 && bytes > this.#grantedBytes) {
      if (await this.#fits(Math.max(bytes, this.#grantedBytes + this.#stepBytes))) {
        this.#stepBytes = Math.min(2 * this.#stepBytes, STEP_BYTES_MAX);
        return;
      }
      this.#stepBytes = LAST_STEP_BYTES;
      if (await this.#fits(bytes + LAST_STEP_BYTES)) return;
    }
    await this.#commit(bytes);
  }

  async #fits(bytes: number): Promise<boolean> {
    try {
      await this.#commit(bytes);
      return true;
    } catch (error) {
      if (isKind(error, 'quota')) return false;
      throw error;
    }
  }

  async #commit(bytes: number): Promise<void> {
    const { metadata, now, reservationMs } = this.#parts;
    const { spaceId, reservationId } = this;
    const at = now();
    await metadata.commit({
      op: 'reserve-quota', spaceId, reservationId, bytes, at, expiresAt: at + reservationMs,
    });
    this.#grantedBytes = bytes;
    this.#renewAt = at + reservationMs / 2;
  }

  /** Gives the room back. Never fails: what cannot be given back now ends by itself. */
  async drop(): Promise<void> {
    await this.#turn;
    if (this.#grantedBytes === 0) return;
    this.#grantedBytes = 0;
    const { spaceId, reservationId } = this;
    await this.#parts.metadata.commit({ op: 'drop-reservation', spaceId, reservationId })
      .then(noop, noop);
  }
}

function noop(): void {
  // Either way there is nothing left to do.
}
