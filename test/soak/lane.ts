/** What one client knows of the folder that is its own: the oracle of a soak. */
import { seededBytes } from '../support/trees.ts';
import type { Settler } from './settled.ts';

export interface KnownFile {
  /** Of all contents that it was given, the newest last; each size is given once in a lane. */
  readonly sizes: number[];
  etag: string | undefined;
  id: string | undefined;
  /** An attempt to make it may come to life again once its name is free: it is not freed. */
  isHaunted: boolean;
}

export type PathState = number | 'folder' | 'absent';

/** One of these is how it is: what each path is then, by its size. */
export interface Doubt {
  readonly what: string;
  readonly cases: readonly Readonly<Record<string, PathState>>[];
}

export abstract class Lane {
  readonly folder: string;
  readonly settler: Settler;
  readonly files = new Map<string, KnownFile>();
  readonly folders = new Map<string, { isHaunted: boolean; id: string | undefined }>();
  readonly doubts: Doubt[] = [];
  /** Changes that were surely made, each one line of the journal. */
  madeCount = 0;
  #serial = 0;

  constructor(folder: string, settler: Settler) {
    this.folder = folder;
    this.settler = settler;
  }

  /** Makes the folder. */
  abstract begin(): Promise<void>;
  abstract step(): Promise<void>;

  nextSize(): number {
    this.#serial += 1;
    const large = this.settler.random.next() < 0.03 ? 1_000_000 : 0;
    return large + 10 + this.#serial;
  }

  newName(): string {
    this.#serial += 1;
    return `${this.folder}/${this.#home()}n${this.#serial}`;
  }

  #home(): string {
    const [, ...inner] = this.folders.keys();
    if (inner.length === 0 || this.settler.random.next() < 0.5) return '';
    return `${this.settler.random.pick(inner).slice(this.folder.length + 1)}/`;
  }

  bytesOf(size: number): Buffer {
    return seededBytes(size, `${this.settler.tenant} ${this.folder} ${size}`);
  }

  someFile(isFree = false): [string, KnownFile] | undefined {
    const all = [...this.files].filter(([, { isHaunted }]) => !isFree || !isHaunted);
    return all.length === 0 ? undefined : this.settler.random.pick(all);
  }

  get trouble(): (what: string) => void {
    return (what) => this.settler.findings.add(`${this.settler.tenant}/${this.folder}: ${what}`);
  }

  doubt(what: string, ...cases: Record<string, PathState>[]): void {
    for (const path of Object.keys(cases[0] ?? {})) this.files.delete(path);
    this.doubts.push({ what, cases });
    this.settler.findings.count(`in doubt for ever: ${what}`);
  }

  sizeOf(path: string): number {
    return this.files.get(path)?.sizes.at(-1) ?? -1;
  }

  target(path: string): string {
    return this.settler.root + path.split('/').map(encodeURIComponent).join('/');
  }

  /** Right after a change, by preference at a node that did not make it. */
  async lookAt(path: string, wroteAt: number): Promise<void> {
    const first = this.settler.someNode(wroteAt);
    const seen = await this.settler.read(this.target(path), {}, first);
    if (seen === undefined) return;
    const { answer: { status, body }, at } = seen;
    this.settler.findings.count(`looks at ${at === wroteAt ? 'the same' : 'another'} node`);
    const wanted = this.sizeOf(path);
    if (wanted < 0) {
      if (status !== 404) this.trouble(`${path} is gone, but node ${at} answers ${status}`);
    } else if (status !== 200 || !body.equals(this.bytesOf(wanted))) {
      this.trouble(`${path} has ${wanted} bytes since node ${wroteAt} said so, but node ${at} `
        + `answers ${status} with ${body.length} bytes`);
    }
  }

  async lookAtFolder(path: string): Promise<void> {
    const seen = await this.settler.read(this.target(path), {
      method: 'PROPFIND', headers: { Depth: '1' },
    });
    if (seen === undefined) return;
    const { answer: { status, text }, at } = seen;
    if (status !== 207) return this.trouble(`PROPFIND ${path} at node ${at}: ${status}`);
    const isIn = (one: string) => one.startsWith(`${path}/`)
      && !one.slice(path.length + 1).includes('/');
    const doubtful = this.doubts.flatMap(({ cases }) => cases.flatMap((one) => Object.keys(one)));
    const found = [...text.matchAll(/<(?:\w+:)?href>([^<]*)</g)]
      .map(([, href = '']) => decodeURIComponent(href).slice(this.settler.root.length)
        .replace(/\/$/, '')).filter((one) => isIn(one) && !doubtful.includes(one)).sort();
    const wanted = [...this.files.keys(), ...this.folders.keys()].filter(isIn).sort();
    this.settler.findings.count('folders looked at');
    if (found.join() !== wanted.join()) {
      const [missing, more] = [wanted.filter((one) => !found.includes(one)),
        found.filter((one) => !wanted.includes(one))];
      this.trouble(`PROPFIND ${path} at node ${at}: missing ${missing.join()} too many `
        + more.join());
    }
  }
}
