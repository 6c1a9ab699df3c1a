/**
 * Where the blocks of a data directory lie, as its file `block-backend.json` says: written before
 * the first block, and compared with the settings at every start. Without it they lie in the local
 * volumes. So nobody starts with an empty store because a setting was changed.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { placeSettings, readJson, replaceJson, where } from '../storage/index.ts';
import type { BackendSettings } from '../storage/index.ts';

const NAME = 'block-backend.json';
const FORMAT = 'holdfast-block-backend';
const VERSION = 1;
const OP = 'app/openStores';

/** A place, and whether a store was made there: then it must be there again. */
export interface KnownPlace {
  readonly place: string;
  readonly founded: boolean;
  /** Under which id the store was made there, if not under that of the home: it was a mirror. */
  readonly storeId?: string;
}

interface Note {
  readonly blocks?: KnownPlace;
  readonly mirror?: KnownPlace;
}

export class BlockPlaces {
  readonly #path: string;
  #note: Note;

  private constructor(path: string, note: Note) {
    this.#path = path;
    this.#note = note;
  }

  /** Writes nothing. `isNew`: the data directory was never opened whole.
   *  @throws conflict: the blocks lie elsewhere than the settings say; corrupt, invalid: the note
   *    cannot be understood. */
  static async open(
    root: string, settings: BackendSettings, isNew: boolean,
  ): Promise<BlockPlaces> {
    const path = join(root, NAME);
    const note = await readNote(path);
    const wanted = placeOf(settings);
    if (note?.blocks !== undefined && wanted !== note.blocks.place) {
      throw elsewhere(note.blocks.place, wanted);
    }
    if (note?.blocks === undefined && wanted !== undefined) {
      if (!isNew || await hasVolumes(root)) throw elsewhere(undefined, wanted);
    }
    return new BlockPlaces(path, note ?? {});
  }

  /** For a look at local volumes beside the note, which stays as it is. */
  static beside(root: string): BlockPlaces {
    return new BlockPlaces(join(root, NAME), {});
  }

  /** Undefined: in local volumes, or not noted yet. */
  get blocks(): KnownPlace | undefined {
    return this.#note.blocks;
  }

  /** What is known of a mirror in that place. */
  mirror(place: string): KnownPlace | undefined {
    return this.#note.mirror?.place === place ? this.#note.mirror : undefined;
  }

  /** Durable once resolved. */
  async noteBlocks(blocks: KnownPlace): Promise<void> {
    if (isSame(this.#note.blocks, blocks)) return;
    await this.#write({ ...this.#note, blocks });
  }

  /** A store was made where these settings say, by another server. */
  async noteFounded(settings: BackendSettings): Promise<void> {
    const place = placeOf(settings);
    if (place !== undefined) await this.noteBlocks({ ...this.#note.blocks, place, founded: true });
  }

  async noteMirror(mirror: KnownPlace | undefined): Promise<void> {
    if (isSame(this.#note.mirror, mirror)) return;
    const { mirror: _, ...rest } = this.#note;
    await this.#write(mirror === undefined ? rest : { ...rest, mirror });
  }

  /** From now on the blocks lie there: nothing but their move may say so. Undefined: in local
   *  volumes. What was the mirror in that place is none any more. Durable once resolved. */
  async noteMoved(blocks: KnownPlace | undefined): Promise<void> {
    const { mirror } = this.#note;
    const stays = mirror !== undefined && mirror.place !== blocks?.place;
    await this.#write({ ...(blocks && { blocks }), ...(stays && { mirror }) });
  }

  async #write(note: Note): Promise<void> {
    await replaceJson(this.#path, { format: FORMAT, version: VERSION, ...note });
    this.#note = note;
  }
}

/** Where the blocks of that data directory lie; undefined: in local volumes. */
export async function findBlockPlace(root: string): Promise<string | undefined> {
  return (await readNote(join(root, NAME)))?.blocks?.place;
}

function placeOf(settings: BackendSettings): string | undefined {
  const { backend } = settings;
  return backend === 'local' ? undefined : where(placeSettings(settings, backend, false));
}

function isSame(a: KnownPlace | undefined, b: KnownPlace | undefined): boolean {
  return a?.place === b?.place && a?.founded === b?.founded && a?.storeId === b?.storeId;
}

async function readNote(path: string): Promise<Note | undefined> {
  let note: Record<string, unknown> | undefined;
  try {
    note = await readJson(path);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw notUnderstood(cause);
    throw cause;
  }
  if (note === undefined) return undefined;
  const { format, version, blocks, mirror } = note;
  if (typeof version === 'number' && version > VERSION) {
    const message = `${NAME} was written by a newer version of Holdfast. Start that one or a later `
      + 'one. Nothing was changed.';
    throw new HoldfastError('invalid', OP, message, { code: 'newer-format' });
  }
  const isRight = format === FORMAT && version === VERSION && [blocks, mirror].every(isPlace);
  if (!isRight) throw notUnderstood();
  return note as Note;
}

function isPlace(value: unknown): boolean {
  if (value === undefined) return true;
  const { place, founded, storeId = '' } = (value ?? {}) as Partial<
    Record<keyof KnownPlace, unknown>
  >;
  return typeof place === 'string' && typeof founded === 'boolean' && typeof storeId === 'string';
}

async function hasVolumes(root: string): Promise<boolean> {
  try {
    return (await readdir(join(root, 'volumes'))).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function elsewhere(known: string | undefined, wanted: string | undefined): HoldfastError {
  const told = known ?? 'local volumes';
  const message = `The files of this data directory lie in: ${told}. The settings say: `
    + `${wanted ?? 'local volumes'}. Nothing was changed, and nothing would be found there: `
    + 'correct storage.backend and the settings of the place. To move them there: holdfast storage '
    + `move. If a bucket was moved with all that is in it, write the new place into ${NAME}.`;
  return new HoldfastError('conflict', OP, message, { code: 'backend-changed' });
}

function notUnderstood(cause?: unknown): HoldfastError {
  const message = `${NAME} in the data directory is damaged: it says where the files lie. Put it `
    + 'back from a backup. Nothing was changed.';
  return new HoldfastError('corrupt', OP, message, { code: 'backend-note-damaged', cause });
}
