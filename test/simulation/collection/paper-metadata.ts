/**
 * What refers to content, on paper: files and parts of uploads, which can be purged at once. The
 * real stores keep every version, so with them there would be little to collect.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HoldfastError } from '../../../src/base/errors.ts';
import { parseUserId, type NodeId, type SpaceId } from '../../../src/base/ids.ts';
import type { ManifestPlace, ManifestRecord } from '../../../src/metadata/index.ts';

export interface Paper {
  manifest: Uint8Array;
  /** Numbers of the contents that it should consist of. */
  numbers: number[];
}

const OWNER = parseUserId('anna');

export class PaperMetadata {
  readonly #files = new Map<string, Paper>();
  readonly #uploads = new Map<string, Map<number, Paper>>();
  /** Names in the order of their first commit: their ids. */
  readonly #ids: string[] = [];
  #isDead = false;

  /** The same papers after a crash; commits that were on their way to this one never arrive. */
  successor(): PaperMetadata {
    this.#isDead = true;
    const next = new PaperMetadata();
    for (const [name, file] of this.#files) next.#files.set(name, file);
    for (const [name, parts] of this.#uploads) next.#uploads.set(name, new Map(parts));
    next.#ids.push(...this.#ids);
    return next;
  }

  /** @throws not-found: the upload is gone meanwhile. */
  async commitJoined(upload: string, name: string, file: Paper): Promise<void> {
    await this.#arrive();
    if (!this.#uploads.has(upload)) throw new HoldfastError('not-found', 'test', 'expired');
    this.#uploads.delete(upload);
    this.#put(name, file);
  }

  async commitFile(name: string, file: Paper): Promise<void> {
    await this.#arrive();
    this.#put(name, file);
  }

  async commitPart(upload: string, number: number, part: Paper): Promise<void> {
    await this.#arrive();
    const parts = this.#uploads.get(upload) ?? new Map<number, Paper>();
    this.#uploads.set(upload, parts.set(number, part));
  }

  partsOf(upload: string): Paper[] {
    const parts = [...this.#uploads.get(upload) ?? []].sort(([a], [b]) => a - b);
    return parts.map(([, part]) => part);
  }

  purge(name: string): void {
    this.#files.delete(name);
  }

  dropUpload(upload: string): void {
    this.#uploads.delete(upload);
  }

  all(): Paper[] {
    return [...this.#files.values(), ...[...this.#uploads.keys()].flatMap((u) => this.partsOf(u))];
  }

  /** One at a time, so that much happens between two pages. */
  async listManifests(_limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    await this.#arrive();
    const records = [...this.#partRecords(), ...this.#fileRecords()];
    const next = after === undefined ? records[0]
      : records.find(({ place }) => keyOf(place) > keyOf(after));
    return next === undefined ? [] : [next];
  }

  #partRecords(): ManifestRecord[] {
    return [...this.#uploads].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([uploadId, parts]) =>
      [...parts].sort(([a], [b]) => a - b).map(([number, { manifest }]) =>
        ({ place: { kind: 'part' as const, owner: OWNER, uploadId, number }, manifest })));
  }

  #fileRecords(): ManifestRecord[] {
    return this.#ids.flatMap((name, at) => {
      const file = this.#files.get(name);
      const place = {
        kind: 'version' as const, spaceId: 1 as SpaceId, nodeId: (at + 1) as NodeId, contentRev: 1,
      };
      return file === undefined ? [] : [{ place, manifest: file.manifest }];
    });
  }

  #put(name: string, file: Paper): void {
    if (!this.#ids.includes(name)) this.#ids.push(name);
    this.#files.set(name, file);
  }

  /** A call takes its time, and is never answered after the end. */
  async #arrive(): Promise<void> {
    await nextTurn();
    if (this.#isDead) await new Promise(() => undefined);
  }
}

function keyOf(place: ManifestPlace): string {
  if (place.kind === 'part') return `a ${place.uploadId} ${place.number}`;
  if (place.kind === 'held') return `b ${place.heldId}`; // Nothing is held on paper.
  return `c ${String(place.nodeId).padStart(9, '0')}`;
}
