/** Notes, desk and clock for tests of one verifier, and metadata in memory. */
import { ManualClock, silentLog } from '../../../platform/index.ts';
import { FindingDesk } from '../finding-desk.ts';
import type { ManifestKey, ManifestRow, ManifestSource } from '../manifest-source.ts';
import { SqliteVerifyStore } from '../stores/sqlite/sqlite-verify-store.ts';

export const HOUR_MS = 60 * 60 * 1000;

export class VerifyWorld {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1));
  readonly store = SqliteVerifyStore.open(':memory:');
  readonly desk = new FindingDesk({ store: this.store, clock: this.clock, log: silentLog });
  readonly signal = new AbortController().signal;

  /** `kind at where`, of all that is open. */
  open(): string[] {
    return this.store.listFindings({ state: 'open', limit: 1_000 })
      .map(({ kind, where }) => `${kind} at ${where}`).sort();
  }

  kinds(): string[] {
    return [...new Set(this.store.listFindings({ state: 'open', limit: 1_000 })
      .map(({ kind }) => kind))].sort();
  }
}

function nodeOf(key: ManifestKey): number {
  return key[0] === 'version' ? key[2] : -1;
}

/** Each row is a version of its own. */
export class MemoryManifests implements ManifestSource {
  readonly rows: ManifestRow[] = [];
  readonly durable = new Map<number, number>();

  add(node: number, blocks: readonly { id: string; sizeBytes: number }[]): void {
    const manifest = Buffer.alloc(16 + blocks.length * 36);
    manifest[0] = 1;
    manifest[1] = 1;
    manifest.writeUInt32LE(blocks.length, 4);
    const sum = blocks.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    manifest.writeBigUInt64LE(BigInt(sum), 8);
    for (const [index, { id, sizeBytes }] of blocks.entries()) {
      manifest.write(id, 16 + index * 36, 32, 'hex');
      manifest.writeUInt32LE(sizeBytes, 48 + index * 36);
    }
    this.rows.push({ key: ['version', 1, node, 1], manifest });
  }

  drop(node: number): void {
    const at = this.rows.findIndex(({ key }) => nodeOf(key) === node);
    this.rows.splice(at, 1);
  }

  page(after: ManifestKey | undefined, limit: number): readonly ManifestRow[] {
    const from = after === undefined ? -1 : nodeOf(after);
    return this.rows.filter(({ key }) => nodeOf(key) > from)
      .sort((a, b) => nodeOf(a.key) - nodeOf(b.key)).slice(0, limit);
  }

  find(key: ManifestKey): Uint8Array | undefined {
    return this.rows.find((row) => nodeOf(row.key) === nodeOf(key))?.manifest;
  }

  marks(): ReadonlyMap<number, number> {
    return this.durable;
  }
}
