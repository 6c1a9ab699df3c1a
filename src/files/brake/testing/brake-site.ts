/** For tests: files of several devices, with the brake before them. */
import assert from 'node:assert/strict';
import type { Caller } from '../../../identity/index.ts';
import type { MetadataStore } from '../../../metadata/index.ts';
import type { QuarantineRecord } from '../../../metadata/index.ts';
import { bodyOf } from '../../body.ts';
import { etagOf } from '../../etag.ts';
import { FileService } from '../../file-service.ts';
import { anna, pathOf, ShareSite } from '../../testing/share-site.ts';
import { Batches } from '../../time/restore/batches.ts';
import { UploadService } from '../../upload-service.ts';
import { BrakeService, runKeep } from '../brake-service.ts';
import { Brake } from '../brake.ts';
import type { BrakePolicy } from '../brake.ts';
import { Quarantines } from '../quarantines.ts';

export const WINDOW_MS = 10 * 60 * 1000;

/** Two devices of one user. */
export const laptop: Caller = { ...anna, device: 'laptop', deviceId: 'a1' };
export const phone: Caller = { ...anna, device: 'phone', deviceId: 'b2' };

export const OWNER = { user: anna.user, device: 'browser', isAdmin: false };

export class BrakeSite {
  readonly site: ShareSite;
  readonly metadata: MetadataStore;
  readonly quarantines: Quarantines;
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly batches: Batches;
  readonly service: BrakeService;
  readonly opened: QuarantineRecord[] = [];
  readonly troubles: unknown[] = [];

  constructor(options: {
    policy?: Partial<BrakePolicy>; metadata?: MetadataStore; quotaBytes?: number;
  } = {}) {
    const { policy, ...siteOptions } = options;
    this.site = new ShareSite(siteOptions);
    const { metadata, content, spaces } = this.site;
    const now = (): number => this.site.now;
    this.metadata = metadata;
    this.quarantines = new Quarantines({
      metadata, onOpened: (record) => this.opened.push(record),
    });
    const { quarantines } = this;
    const brake = new Brake({
      metadata, quarantines, now, policy: { limit: 3, windowMs: WINDOW_MS, ...policy },
    });
    this.files = new FileService({ metadata, content, spaces, now, brake });
    this.uploads = new UploadService({ metadata, content, files: this.files, spaces, now });
    this.batches = new Batches({
      metadata, content, now, keep: (batch, run) => runKeep({ metadata, quarantines }, batch, run),
      onTrouble: (_, error) => this.troubles.push(error),
    });
    this.service = new BrakeService({ metadata, quarantines, batches: this.batches, now });
  }

  /** What is there counts from now on as old. */
  age(): void {
    this.site.now += 2 * WINDOW_MS;
  }

  async write(caller: Caller, path: string, text = path): Promise<string> {
    const { node } = await this.files.upload(caller, pathOf(path), bodyOf(Buffer.from(text)));
    return etagOf(node);
  }

  async folder(caller: Caller, path: string): Promise<void> {
    await this.files.makeFolder(caller, pathOf(path));
  }

  async remove(caller: Caller, path: string): Promise<void> {
    await this.files.remove(caller, pathOf(path));
  }

  async move(caller: Caller, from: string, to: string): Promise<void> {
    await this.files.move(caller, pathOf(from), pathOf(to), { replace: true });
  }

  async copy(caller: Caller, from: string, to: string): Promise<void> {
    await this.files.copy(caller, pathOf(from), pathOf(to), { replace: true, depth: 'infinity' });
  }

  async etag(caller: Caller, path = ''): Promise<string> {
    return etagOf((await this.files.get(caller, pathOf(path))).node);
  }

  /** Every path that a device sees, with the content of files; found one by one as listed. */
  async tree(caller: Caller, prefix = ''): Promise<string[]> {
    const lines: string[] = [];
    const { pages } = await this.files.list(caller, pathOf(prefix));
    for (const entry of (await Array.fromAsync(pages)).flat()) {
      const path = `${prefix}${entry.name}`;
      const { node } = await this.files.get(caller, pathOf(path));
      assert.equal(etagOf(node), etagOf(entry), `${path} has one ETag`);
      if (entry.kind === 'folder') {
        lines.push(`${path}/`, ...await this.tree(caller, `${path}/`));
      } else {
        lines.push(`${path} = ${await this.#text(caller, path)}`);
      }
    }
    return lines;
  }

  /** The root and its members, with their ETags. */
  async outline(caller: Caller): Promise<string[]> {
    const { folder, pages } = await this.files.list(caller, []);
    const members = (await Array.fromAsync(pages)).flat();
    return [folder, ...members].map((node) => `${node.name} ${etagOf(node)}`);
  }

  async #text(caller: Caller, path: string): Promise<string> {
    const content = await this.files.open(caller, pathOf(path));
    const whole = { startBytes: 0, endBytes: content.sizeBytes };
    return Buffer.concat(await Array.fromAsync(content.read(whole))).toString();
  }

  async only(): Promise<QuarantineRecord> {
    const [quarantine, ...others] = await this.service.list({ all: true });
    assert.ok(quarantine !== undefined && others.length === 0, 'there is one quarantine');
    return quarantine;
  }

  /** Answers the figures of the batch. */
  async keep(): Promise<{ doneCount: number; skippedCount: number; batchId: number }> {
    const { id } = await this.only();
    const batch = await this.service.keep(id, OWNER);
    const { doneCount, skippedCount, state } = await this.batches.settled(batch.id);
    assert.deepEqual(this.troubles, []);
    assert.equal(state, 'done');
    return { doneCount, skippedCount, batchId: batch.id };
  }

  async undo(): Promise<void> {
    await this.service.undo((await this.only()).id, OWNER);
  }
}
