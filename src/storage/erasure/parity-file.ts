/** Reading and writing what surrounds the parity: header and catalogue, each of them twice. */
import type { VolumeFile } from '../backends/local/volume-files.ts';
import {
  decodeCatalogue, decodeHeader, encodeCatalogue, encodeHeader, HEADER_BYTES, layoutOf,
} from './set-layout.ts';
import type { ParityHeader, SetFacts, ShardFacts } from './set-layout.ts';
import { readWhole } from './shard-place.ts';

export interface ParityFacts {
  readonly header: ParityHeader;
  readonly shards: readonly ShardFacts[];
  /** Both headers and both catalogues are as they were written. */
  readonly isWhole: boolean;
}

/** Undefined when no sound header or no sound catalogue is left.
 *  @throws invalid: written by a newer version; else the disk's own error, when a part that could
 *  not be read is needed. */
export async function readParityFacts(file: VolumeFile): Promise<ParityFacts | undefined> {
  const failures: unknown[] = [];
  const read = async (position: number, length: number): Promise<Buffer | undefined> => {
    const bytes = Buffer.alloc(length);
    try {
      return await readWhole(file, bytes, position) ? bytes : undefined;
    } catch (error) {
      failures.push(error); // As good as damaged while there is a second one.
      return undefined;
    }
  };
  const readHeader = async (position: number): Promise<ParityHeader | undefined> => {
    const bytes = position < 0 ? undefined : await read(position, HEADER_BYTES);
    return bytes && decodeHeader(bytes);
  };
  const size = await file.size();
  const headers = [await readHeader(0), await readHeader(size - HEADER_BYTES)];
  const header = headers.find((found) => found !== undefined);
  const catalogues: (ShardFacts[] | undefined)[] = [];
  if (header !== undefined) {
    const { catalogueBytes, secondCatalogueAt } = header.layout;
    for (const position of [HEADER_BYTES, secondCatalogueAt]) {
      const bytes = await read(position, catalogueBytes);
      catalogues.push(bytes && decodeCatalogue(header, bytes));
    }
  }
  const shards = catalogues.find((found) => found !== undefined);
  if (header === undefined || shards === undefined) {
    if (failures.length > 0) throw failures[0];
    return undefined;
  }
  const parts = [...headers, ...catalogues];
  const isWhole = size === header.layout.fileBytes && parts.every((part) => part !== undefined);
  return { header, shards, isWhole };
}

/** Writes them around the parity, which is there already. Not synced. */
export async function writeParityFacts(
  file: VolumeFile, set: SetFacts, shard: number,
): Promise<void> {
  const catalogue = encodeCatalogue(set.shards);
  const header = encodeHeader(set, shard, catalogue);
  const layout = layoutOf(set.shards[shard]?.lengthBytes ?? 0, catalogue.length);
  await file.write([catalogue], HEADER_BYTES);
  await file.write([catalogue], layout.secondCatalogueAt);
  await file.write([header], layout.secondHeaderAt);
  await file.write([header], 0);
}
