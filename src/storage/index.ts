export { storageSlice } from './settings.ts';
export { Block, BLOCK_BYTES_MAX } from './block.ts';
export { SEGMENT_BYTES } from './block-store.ts';
export type { BlockStore, BlockStoreState } from './block-store.ts';
export { BlockCutter } from './chunker.ts';
