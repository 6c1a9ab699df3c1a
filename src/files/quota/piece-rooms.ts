/**
 * Room for uploads in pieces: reserved from their beginning to their end, renewed with each part,
 * given back by itself when parts stop coming. The parts stay then, and the next one asks anew.
 *
 * Where the file is to appear is told at the end; a client may tell it before. If it does not, the
 * caller's own space is the likely one, unless others share something with the caller. So without
 * a word of the client a reservation is made if it fits, and nothing is refused for the lack of it
 * but what could never fit: the upload may replace a file as large as itself.
 */
import { isKind } from '../../base/errors.ts';
import type { SpaceId, UserId } from '../../base/ids.ts';
import type { MetadataStore, UploadRecord } from '../../metadata/index.ts';
import type { RoomParts, UploadRoom } from './upload-room.ts';
import { UploadRooms } from './upload-room.ts';

/** Uploads whose room is remembered. One more, and the oldest asks anew with its next part. */
const REMEMBERED_MAX = 10_000;

/** Where an upload in pieces will count. */
export interface Landing {
  spaceId: SpaceId;
  /** What it replaces. */
  oldBytes: number;
  /** The client said so. */
  isSure: boolean;
}

export type PiecedUpload = Pick<UploadRecord, 'owner' | 'uploadId' | 'totalBytes'>;

export class PieceRooms {
  readonly #metadata: Pick<MetadataStore, 'commit' | 'listParts'>;
  readonly #rooms: UploadRooms;
  readonly #known = new Map<string, PieceRoom>();

  constructor(parts: RoomParts & { metadata: Pick<MetadataStore, 'commit' | 'listParts'> }) {
    this.#metadata = parts.metadata;
    this.#rooms = new UploadRooms(parts);
  }

  /** Reserves what is announced. `land` is asked only while nothing is reserved for it. undefined:
   *  nothing is to be reserved, or nobody knows where.
   *  @throws quota, if it is sure where the upload will land. */
  async begin(
    upload: PiecedUpload, land: () => Promise<Landing | undefined>,
  ): Promise<PieceRoom | undefined> {
    const key = pieceReservation(upload);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const landing = await land();
    const room = landing && await this.#rooms.in({
      spaceId: landing.spaceId, reservationId: key, isWhole: upload.totalBytes !== undefined,
    });
    if (landing === undefined || room === undefined) return undefined;
    const made = new PieceRoom(room, { upload, landing });
    if (upload.totalBytes === undefined) {
      made.recount(await this.#metadata.listParts(upload.owner, upload.uploadId));
    }
    return await made.announce() ? this.#remember(key, made) : undefined;
  }

  #remember(key: string, room: PieceRoom): PieceRoom {
    // Two first parts at once: both count with the same one.
    const earlier = this.#known.get(key);
    if (earlier !== undefined) return earlier;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= REMEMBERED_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, room);
    return room;
  }

  /** The upload has ended in `spaceId`, with what it had reserved there; or nowhere. */
  async end(upload: Omit<PiecedUpload, 'totalBytes'>, spaceId?: SpaceId): Promise<void> {
    const key = pieceReservation(upload);
    const room = this.#known.get(key);
    this.#known.delete(key);
    if (room !== undefined && room.spaceId !== spaceId) await room.drop();
  }
}

/** By this the upload finds its reservation after a restart, too. */
export function pieceReservation(
  { owner, uploadId }: { owner: UserId; uploadId: string },
): string {
  return `pieces ${owner}/${uploadId}`;
}

/** What one upload in pieces has reserved. */
export class PieceRoom {
  readonly #room: UploadRoom;
  readonly #landing: Landing;
  readonly #totalBytes: number | undefined;
  #storedBytes = 0;
  /** Of parts that are on their way. */
  #comingBytes = 0;

  constructor(
    room: UploadRoom, { upload, landing }: { upload: PiecedUpload; landing: Landing },
  ) {
    this.#room = room;
    this.#landing = landing;
    this.#totalBytes = upload.totalBytes;
  }

  get spaceId(): SpaceId {
    return this.#room.spaceId;
  }

  /** Whether its announced length fits, or that is not sure to matter. @throws quota. */
  async announce(): Promise<boolean> {
    try {
      await this.#ensure();
      return true;
    } catch (error) {
      if (this.#landing.isSure || !isKind(error, 'quota')) throw error;
      return false;
    }
  }

  /** A part of `lengthBytes` (undefined: not announced) is on its way. */
  part(lengthBytes: number | undefined): PartRoom {
    let takenBytes = 0;
    const take = (totalBytes: number): Promise<void> | undefined => {
      const moreBytes = Math.max(0, totalBytes - takenBytes);
      takenBytes += moreBytes;
      this.#comingBytes += moreBytes;
      return this.#landing.isSure ? this.#ensure() : this.#ensure()?.catch(ifNoQuota);
    };
    return {
      begin: async () => {
        if (lengthBytes !== undefined) await take(lengthBytes);
      },
      take,
      end: (parts) => {
        this.#comingBytes -= takenBytes;
        if (parts !== undefined) this.recount(parts);
      },
    };
  }

  /** From all parts that are stored: one that took the place of another counts once. */
  recount(parts: readonly { sizeBytes: number }[]): void {
    this.#storedBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  #ensure(): Promise<void> | undefined {
    const bytes = this.#totalBytes ?? this.#storedBytes + this.#comingBytes;
    return this.#room.ensure(Math.max(0, bytes - this.#landing.oldBytes));
  }

  async drop(): Promise<void> {
    await this.#room.drop();
  }
}

export interface PartRoom {
  /** Before the part is read. @throws quota. */
  begin: () => Promise<void>;
  /** While it comes: so much of it is there. */
  take: (totalBytes: number) => Promise<void> | undefined;
  /** It is stored, with all of these; or it was given up. */
  end: (parts: readonly { sizeBytes: number }[] | undefined) => void;
}

/** Nobody knows yet that it counts here: its end decides. */
function ifNoQuota(error: unknown): void {
  if (!isKind(error, 'quota')) throw error;
}
