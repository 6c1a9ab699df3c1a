import { readdir, readFile } from 'node:fs/promises';
import type { BlockId } from '../../../../base/ids.ts';
import type { Witness } from '../../../../base/witness.ts';
import type { SimulatedVolumeFiles } from './simulated-volume-files.ts';

const FOLDER = new URL('../../../../../test/fixtures/volumes/', import.meta.url);

export interface GoldenVolumes {
  witness: Witness;
  blocks: Map<BlockId, Buffer>;
  files: Map<string, Buffer>;
}

interface Contents {
  witness: [number, number][];
  blocks: { number: number; sizeBytes: number; id: BlockId }[];
}

/** Reads one of the folders in test/fixtures/volumes. */
export async function readGolden(name: string): Promise<GoldenVolumes> {
  const folder = new URL(`${name}/`, FOLDER);
  const files = new Map<string, Buffer>();
  for (const file of await readdir(folder)) files.set(file, await readFile(new URL(file, folder)));
  const contents = JSON.parse(String(files.get('contents.json'))) as Contents;
  files.delete('contents.json');
  const blocks = new Map<BlockId, Buffer>();
  for (const { number, sizeBytes, id } of contents.blocks) {
    const text = `golden block ${number} of ${sizeBytes} bytes\n`;
    blocks.set(id, Buffer.alloc(sizeBytes, text));
  }
  return { witness: contents.witness, blocks, files };
}

/** Puts the files on a simulated disk. */
export function placeGolden(disk: SimulatedVolumeFiles, golden: GoldenVolumes): void {
  for (const [name, bytes] of golden.files) disk.setContent(name, bytes);
}
