/**
 * All files on their way to the server, a few at a time.
 *
 * An item that meets a taken name waits for somebody's choice, one that fails waits for another
 * try, and one that cannot reach the server goes on by itself when it is back. Nothing is dropped
 * silently. What is not finished is remembered over a reload.
 */
import { connection } from '../api/connection.ts';
import { Unreachable, isStatus, newKey, reasonOf } from '../api/http.ts';
import { patchAdded } from '../api/listings.ts';
import type { FileNode } from '../api/shapes.ts';
import { Store } from '../api/store.ts';
import type { IncomingFile } from './dropped-files.ts';
import { recall, remember } from './remembered.ts';
import { ENDED } from './upload-item.ts';
import type { ConflictChoice, UploadItem } from './upload-item.ts';
import { UploadFolders } from './upload-folders.ts';
import type { Place } from './upload-folders.ts';
import { sendFile } from './send-file.ts';

const LANES_MAX = 3;
export const ITEMS_MAX = 20_000;
/** Progress comes more often than anybody can see. */
const SHOW_EVERY_MS = 120;
const SPEED_WINDOW_MS = 4_000;

type Change = Partial<UploadItem>;

export class UploadQueue {
  readonly items = new Store<readonly UploadItem[]>([]);
  readonly #byId = new Map<string, UploadItem>();
  readonly #sending = new Map<string, AbortController>();
  readonly #folders = new UploadFolders();
  /** A choice for all that come after. */
  #choiceForAll: ConflictChoice | undefined;
  #showTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #sent: { at: number; bytes: number }[] = [];

  constructor() {
    for (const one of recall()) {
      this.#byId.set(one.id, { ...one, file: undefined, state: 'interrupted', reason: undefined });
    }
    this.#show();
    connection.state.listen(() => {
      if (connection.state.value.isReachable) this.#wake('offline');
    });
  }

  /** False when there is no room for all of them: then none is taken. */
  add(parent: Place, files: readonly IncomingFile[]): boolean {
    if (this.#byId.size + files.length > ITEMS_MAX) this.clearEnded();
    if (this.#byId.size + files.length > ITEMS_MAX) return false;
    if (this.#sending.size === 0) this.#choiceForAll = undefined;
    for (const { file, folders } of files) {
      if (this.#takeUp(parent, file, folders)) continue;
      const id = newKey();
      this.#byId.set(id, {
        id, name: file.name, folders, parentId: parent.id, parentPath: parent.path,
        sizeBytes: file.size, modifiedMs: file.lastModified, file, state: 'waiting', doneBytes: 0,
        reason: undefined, choice: undefined, resumeUrl: undefined,
      });
    }
    this.#keep();
    this.#work();
    return true;
  }

  /** A file that was interrupted and comes again goes on where it was. */
  #takeUp(parent: Place, file: File, folders: string): boolean {
    const same = [...this.#byId.values()].find((item) => item.state === 'interrupted'
      && item.parentId === parent.id && item.folders === folders && isSameFile(item, file));
    if (same === undefined) return false;
    this.#change(same.id, { file, state: 'waiting' });
    return true;
  }

  /** The file of an interrupted upload, chosen again. False when it is another one. */
  chooseAgain(id: string, file: File): boolean {
    const item = this.#byId.get(id);
    if (item === undefined || !isSameFile(item, file)) return false;
    this.#change(id, { file, state: 'waiting' });
    this.#work();
    return true;
  }

  async makeFolders(parent: Place, paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#folders.open(parent, path);
  }

  pause(id: string): void {
    this.#change(id, { state: 'paused' });
    this.#sending.get(id)?.abort();
  }

  resume(id: string): void {
    this.#change(id, { state: 'waiting', reason: undefined });
    this.#work();
  }

  pauseAll(): void {
    for (const { id, state } of this.#byId.values()) {
      if (state === 'waiting' || state === 'sending' || state === 'offline') this.pause(id);
    }
  }

  resumeAll(): void {
    this.#wake('paused');
  }

  choose(id: string, choice: ConflictChoice, forAll: boolean): void {
    if (forAll) this.#choiceForAll = choice;
    const meant = [...this.#byId.values()].filter((item) => {
      return item.id === id || (forAll && item.state === 'conflict');
    });
    for (const item of meant) {
      this.#change(item.id, { choice, state: choice === 'skip' ? 'skipped' : 'waiting' });
    }
    this.#work();
  }

  cancel(id: string): void {
    this.#byId.delete(id);
    this.#sending.get(id)?.abort();
    this.#keep();
    this.#show();
  }

  clearEnded(): void {
    for (const { id, state } of this.#byId.values()) {
      if (ENDED.includes(state)) this.#byId.delete(id);
    }
    if (this.#byId.size === 0) this.#folders.forget();
    this.#keep();
    this.#show();
  }

  get isBusy(): boolean {
    return this.#sending.size > 0;
  }

  /** Over the last seconds; 0 when nothing moves. */
  bytesPerSecond(now = Date.now()): number {
    while (this.#sent[0] !== undefined && this.#sent[0].at < now - SPEED_WINDOW_MS) {
      this.#sent.shift();
    }
    const [first] = this.#sent;
    if (first === undefined) return 0;
    const bytes = this.#sent.reduce((sum, one) => sum + one.bytes, 0);
    return bytes / Math.max(0.5, (now - first.at) / 1000);
  }

  #wake(state: UploadItem['state']): void {
    for (const item of this.#byId.values()) {
      if (item.state === state) this.#change(item.id, { state: 'waiting' });
    }
    this.#work();
  }

  #work(): void {
    for (const item of this.#byId.values()) {
      if (this.#sending.size >= LANES_MAX) break;
      if (item.state === 'waiting' && !this.#sending.has(item.id)) void this.#send(item);
    }
    this.#show();
  }

  async #send(item: UploadItem): Promise<void> {
    const { id, file } = item;
    if (file === undefined) return this.#change(id, { state: 'interrupted' });
    const controller = new AbortController();
    this.#sending.set(id, controller);
    this.#change(id, { state: 'sending' });
    try {
      const parent = { id: item.parentId, path: item.parentPath };
      const folder = await this.#folders.open(parent, item.folders);
      const node = await sendFile({ ...item, file }, folder, {
        signal: controller.signal,
        onProgress: (doneBytes) => this.#progress(id, doneBytes),
        onResumable: (resumeUrl) => {
          this.#change(id, { resumeUrl });
          this.#keep();
        },
      });
      this.#finish(id, node);
    } catch (error) {
      if (!controller.signal.aborted) this.#fail(id, error);
    } finally {
      this.#sending.delete(id);
      this.#keep();
      this.#work();
    }
  }

  #finish(id: string, node: FileNode): void {
    patchAdded(node);
    this.#change(id, { state: 'done', name: node.name, reason: undefined, resumeUrl: undefined });
  }

  #fail(id: string, error: unknown): void {
    if (error instanceof Unreachable) return this.#change(id, { state: 'offline' });
    if (!isStatus(error, 409, 412)) {
      return this.#change(id, { state: 'failed', reason: reasonOf(error) });
    }
    const choice = this.#choiceForAll;
    const isNew = choice !== undefined && this.#byId.get(id)?.choice === undefined;
    if (!isNew) return this.#change(id, { state: 'conflict', choice: undefined });
    this.#change(id, { choice, state: choice === 'skip' ? 'skipped' : 'waiting' });
  }

  #progress(id: string, doneBytes: number): void {
    const before = this.#byId.get(id)?.doneBytes ?? 0;
    if (doneBytes > before) this.#sent.push({ at: Date.now(), bytes: doneBytes - before });
    if (this.#sent.length > 2_000) this.#sent.splice(0, 1_000);
    this.#change(id, { doneBytes });
  }

  #change(id: string, change: Change): void {
    const item = this.#byId.get(id);
    if (item === undefined) return;
    this.#byId.set(id, { ...item, ...change });
    this.#show();
  }

  #keep(): void {
    remember([...this.#byId.values()].filter(({ state }) => !ENDED.includes(state)));
  }

  #show(): void {
    this.#showTimer ??= setTimeout(() => {
      this.#showTimer = undefined;
      this.items.set([...this.#byId.values()]);
    }, SHOW_EVERY_MS);
  }
}

function isSameFile({ name, sizeBytes, modifiedMs }: UploadItem, file: File): boolean {
  return file.name === name && file.size === sizeBytes && file.lastModified === modifiedMs;
}

export const uploadQueue = new UploadQueue();
