/**
 * One client that changes files and remembers what was acknowledged.
 *
 * It owns a folder and does one thing at a time, so when the server dies at most one change is in
 * doubt. After the restart that change must have happened wholly or not at all, and everything that
 * was acknowledged before must be there byte for byte.
 */
import assert from 'node:assert/strict';
import { fingerprint } from '../support/dav-client.ts';
import type { Answer, DavClient, Tree } from '../support/dav-client.ts';
import type { SeededRandom } from '../support/random.ts';
import { seededBytes } from '../support/trees.ts';
import { LargeUpload } from './large-upload.ts';

const FILES_MAX = 60;
const FOLDERS_MAX = 5;
const KIB = 1024;

/** A change that was asked for and not answered. */
interface Doubt {
  readonly what: string;
  readonly before: Tree;
  readonly after: Tree;
}

type Step = () => Promise<void>;

export class ServerGone extends Error {}

export class CrashWriter {
  readonly folder: string;
  readonly #client: DavClient;
  readonly #random: SeededRandom;
  #known: Tree = new Map();
  #doubt: Doubt | undefined;
  #upload: LargeUpload | undefined;
  #touched = new Set<string>();
  #serial = 0;
  #hasBegun = false;
  acknowledgedCount = 0;

  constructor(folder: string, client: DavClient, random: SeededRandom) {
    this.folder = folder;
    this.#client = client;
    this.#random = random;
  }

  /** Changes one thing after another until the server is gone or `isOver` says so. */
  async work(isOver: () => boolean): Promise<void> {
    this.#touched = new Set();
    try {
      if (!this.#hasBegun) await this.#begin();
      while (!isOver()) await this.#chooseStep()();
    } catch (error) {
      if (!(error instanceof ServerGone)) throw error;
    }
  }

  /** After a restart: settles the change in doubt, then checks what was touched lately. */
  async checkRecent(): Promise<void> {
    await this.#settle();
    await this.#upload?.checkParts();
    await this.#checkNames();
    for (const path of this.#touched) await this.#checkFile(path);
  }

  /** Every file, every byte. */
  async checkAll(): Promise<void> {
    await this.#settle();
    await this.#checkNames();
    for (const path of this.#known.keys()) await this.#checkFile(path);
  }

  async #begin(): Promise<void> {
    const { status } = await this.#orGone(this.#client.makeFolder(this.folder));
    // Behind a crash it may be there already, although nobody has heard of it.
    assert.ok(status === 201 || status === 405, `MKCOL answered ${status}`);
    this.#hasBegun = true;
  }

  #chooseStep(): Step {
    const files = this.#paths((value) => value !== 'folder');
    const folders = this.#paths((value) => value === 'folder');
    const dice = this.#random.next();
    if (files.length === 0 || (dice < 0.34 && files.length < FILES_MAX)) return this.#putNew();
    if (dice < 0.5) return this.#put(this.#random.pick(files), this.#size());
    if (dice < 0.6) return this.#move(this.#random.pick(files), this.#newPath(folders));
    if (dice < 0.66) return this.#copy(this.#random.pick(files), this.#newPath(folders));
    if (dice < 0.76) return this.#delete(this.#random.pick(files));
    if (folders.length === 0 || (dice < 0.8 && folders.length < FOLDERS_MAX)) {
      return this.#makeFolder();
    }
    if (dice < 0.84) return this.#move(this.#random.pick(folders), this.#newPath([]));
    if (dice < 0.88) return this.#delete(this.#random.pick(folders));
    return () => this.#largeStep();
  }

  #paths(isWanted: (value: string) => boolean): string[] {
    return [...this.#known].filter(([, value]) => isWanted(value)).map(([path]) => path);
  }

  #newPath(folders: readonly string[]): string {
    this.#serial += 1;
    const above = folders.length > 0 && this.#random.next() < 0.5
      ? this.#random.pick(folders) : this.folder;
    return `${above}/é ${this.#serial}`;
  }

  #size(): number {
    const dice = this.#random.next();
    if (dice < 0.05) return 0;
    if (dice < 0.8) return this.#random.between(1, 6 * KIB);
    if (dice < 0.95) return this.#random.between(100 * KIB, 700 * KIB);
    return this.#random.between(1024 * KIB, 5000 * KIB);
  }

  #bytes(sizeBytes: number): Buffer {
    this.#serial += 1;
    return seededBytes(sizeBytes, `${this.folder}/${this.#serial}/${this.#random.next()}`);
  }

  #putNew(): Step {
    return this.#put(this.#newPath(this.#paths((value) => value === 'folder')), this.#size());
  }

  #put(path: string, sizeBytes: number): Step {
    const bytes = this.#bytes(sizeBytes);
    const after = new Map(this.#known).set(path, fingerprint(bytes));
    const what = `PUT of ${sizeBytes} bytes`;
    return () => this.#change(what, after, () => this.#client.put(path, bytes));
  }

  #makeFolder(): Step {
    const path = this.#newPath([]);
    const after = new Map(this.#known).set(path, 'folder');
    return () => this.#change('MKCOL', after, () => this.#client.makeFolder(path));
  }

  #move(from: string, to: string): Step {
    const after: Tree = new Map();
    for (const [path, value] of this.#known) {
      const isMoved = path === from || path.startsWith(`${from}/`);
      after.set(isMoved ? to + path.slice(from.length) : path, value);
    }
    return () => this.#change('MOVE', after, () => this.#client.move(from, to));
  }

  #copy(from: string, to: string): Step {
    const after = new Map(this.#known).set(to, this.#known.get(from) ?? '');
    return () => this.#change('COPY', after, () => this.#client.copy(from, to));
  }

  #delete(doomed: string): Step {
    const after = new Map([...this.#known].filter(
      ([path]) => path !== doomed && !path.startsWith(`${doomed}/`),
    ));
    return () => this.#change('DELETE', after, () => this.#client.remove(doomed));
  }

  /** One piece of a large upload per step, so that the server also dies between pieces. */
  async #largeStep(): Promise<void> {
    if (this.#upload === undefined) {
      const pieces = [this.#random.between(300 * KIB, 900 * KIB), 70 * KIB, 1]
        .map((sizeBytes) => this.#bytes(sizeBytes));
      this.#serial += 1;
      const id = `${this.folder}${this.#serial}`;
      this.#upload = new LargeUpload(this.#client, id, pieces);
    }
    const upload = this.#upload;
    if (!upload.isComplete) {
      await this.#orGone(upload.sendNext());
      return;
    }
    const path = this.#newPath([]);
    const after = new Map(this.#known).set(path, upload.fingerprint);
    await this.#change('MOVE of an upload', after, () => upload.finish(path));
    this.#upload = undefined;
  }

  async #change(what: string, after: Tree, act: () => Promise<Answer>): Promise<void> {
    this.#doubt = { what, before: this.#known, after };
    const { status, text } = await this.#orGone(act());
    assert.ok(status >= 200 && status < 300, `${what} answered ${status}: ${text}`);
    for (const path of differing(this.#known, after)) this.#touched.add(path);
    this.#known = after;
    this.#doubt = undefined;
    this.acknowledgedCount += 1;
  }

  async #orGone<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      throw new ServerGone('The server went away.', { cause: error });
    }
  }

  async #settle(): Promise<void> {
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    const paths = differing(doubt.before, doubt.after);
    const actual: Tree = new Map();
    for (const path of paths) actual.set(path, await this.#stateOf(path));
    const matches = (wanted: Tree): boolean => paths.every(
      (path) => actual.get(path) === (wanted.get(path) ?? 'nothing'),
    );
    const happened = matches(doubt.after);
    if (!happened && !matches(doubt.before)) {
      const lines = paths.map((path) => `${path}: is ${actual.get(path)}, `
        + `was ${doubt.before.get(path)}, was to become ${doubt.after.get(path)}`);
      assert.fail(`${doubt.what} happened by half:\n${lines.slice(0, 20).join('\n')}`);
    }
    this.#known = happened ? doubt.after : doubt.before;
    if (happened && doubt.what === 'MOVE of an upload') this.#upload = undefined;
    this.#doubt = undefined;
  }

  async #stateOf(path: string): Promise<string> {
    const listed = await this.#client.file('PROPFIND', path, { headers: { Depth: '0' } });
    if (listed.status === 404) return 'nothing';
    assert.equal(listed.status, 207, listed.text);
    if (/<(?:\w+:)?collection\b/.test(listed.text)) return 'folder';
    const { status, body } = await this.#client.get(path);
    return status === 200 ? fingerprint(body) : `status ${status}`;
  }

  /** Nothing is missing, and nothing is there that nobody asked for. */
  async #checkNames(): Promise<void> {
    if (!this.#hasBegun) return;
    const found: string[] = [];
    for (const folder of [this.folder, ...this.#paths((value) => value === 'folder')]) {
      assert.equal(await this.#stateOf(folder), 'folder', 'an acknowledged folder is gone');
      found.push(...(await this.#client.list(folder)).map(({ path }) => path));
    }
    assert.deepEqual(found.sort(), [...this.#known.keys()].sort(), 'names after the crash');
  }

  async #checkFile(path: string): Promise<void> {
    const wanted = this.#known.get(path);
    if (wanted === undefined || wanted === 'folder') return;
    const { status, body } = await this.#client.get(path);
    assert.equal(status, 200, `an acknowledged file answers ${status}: ${path}`);
    assert.equal(fingerprint(body), wanted, `an acknowledged file has other bytes: ${path}`);
  }
}

function differing(a: Tree, b: Tree): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
}
