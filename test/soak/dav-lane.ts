/** A client of WebDAV: every change has a condition that is false once it was made. */
import type { Answer } from '../support/dav-client.ts';
import { Lane } from './lane.ts';
import type { Verdict } from './settled.ts';

const FOLDERS_MAX = 4;

function judge(done: readonly number[], taken: readonly number[]): (answer: Answer) => Verdict {
  return ({ status }) => {
    if (done.includes(status)) return 'done';
    return taken.includes(status) ? 'taken' : 'lost';
  };
}

export class DavLane extends Lane {
  override async begin(): Promise<void> {
    await this.#makeFolder(this.folder);
  }

  override async step(): Promise<void> {
    const at = this.settler.random.next();
    if (at < 0.35) return this.#putNew();
    if (at < 0.62) return this.#putOver();
    if (at < 0.74) return this.#move();
    if (at < 0.80) return this.#moveFolder();
    if (at < 0.88) return this.#remove();
    if (at < 0.92 && this.folders.size <= FOLDERS_MAX) return this.#makeFolder(this.newName());
    return this.lookAtFolder(this.settler.random.pick([...this.folders.keys()]));
  }

  async #makeFolder(path: string): Promise<void> {
    const { how, isHaunted } = await this.settler.settle('MKCOL', this.target(path), {},
      judge([201], [405]));
    if (how === 'lost') return this.trouble(`the folder ${path} could not be made`);
    this.madeCount += 1;
    this.folders.set(path, { isHaunted, id: undefined });
  }

  async #putNew(): Promise<void> {
    const path = this.newName();
    const size = this.nextSize();
    const { how, at, isHaunted, answer } = await this.settler.settle('PUT', this.target(path), {
      body: this.bytesOf(size), headers: { 'If-None-Match': '*' },
    }, judge([201], [412]));
    if (how === 'lost') return this.doubt('put', { [path]: size }, { [path]: 'absent' });
    this.madeCount += 1;
    this.files.set(path, { sizes: [size], etag: etagOf(how, answer), id: undefined, isHaunted });
    await this.lookAt(path, at);
  }

  async #etag(path: string): Promise<string | undefined> {
    const file = this.files.get(path);
    if (file === undefined || file.etag !== undefined) return file?.etag;
    const seen = await this.settler.read(this.target(path));
    if (seen === undefined) return undefined;
    const { answer: { status, headers, body } } = seen;
    if (status !== 200 || !body.equals(this.bytesOf(this.sizeOf(path)))) {
      this.trouble(`${path} should have ${this.sizeOf(path)} bytes, but ${status} with `
        + `${body.length}`);
    }
    file.etag = headers.etag;
    return file.etag;
  }

  async #putOver(): Promise<void> {
    const [path = '', file] = this.someFile() ?? [];
    const etag = await this.#etag(path);
    if (file === undefined || etag === undefined) return;
    const size = this.nextSize();
    const before = this.sizeOf(path);
    const { how, at, answer } = await this.settler.settle('PUT', this.target(path), {
      body: this.bytesOf(size), headers: { 'If-Match': etag },
    }, judge([204], [412]));
    if (how === 'lost') return this.doubt('put over', { [path]: size }, { [path]: before });
    this.madeCount += 1;
    file.sizes.push(size);
    file.etag = etagOf(how, answer);
    await this.lookAt(path, at);
  }

  async #move(): Promise<void> {
    const [path = '', file] = this.someFile(true) ?? [];
    if (file === undefined) return;
    const to = this.newName();
    const { how, at } = await this.settler.settle('MOVE', this.target(path), {
      headers: { Destination: this.target(to), Overwrite: 'F' },
    }, judge([201], [404]));
    const size = this.sizeOf(path);
    if (how === 'lost') {
      return this.doubt('move', { [path]: size, [to]: 'absent' }, { [path]: 'absent', [to]: size });
    }
    this.madeCount += 1;
    this.files.delete(path);
    this.files.set(to, file);
    file.etag = undefined;
    await this.lookAt(to, at);
    await this.lookAt(path, at);
  }

  async #moveFolder(): Promise<void> {
    const free = [...this.folders].filter(([path, { isHaunted }]) => (
      !isHaunted && path !== this.folder && !path.slice(this.folder.length + 1).includes('/')));
    if (free.length === 0) return;
    const [path] = this.settler.random.pick(free);
    const to = `${this.folder}/${this.nextSize()}m`;
    const { how } = await this.settler.settle('MOVE', this.target(path), {
      headers: { Destination: this.target(to), Overwrite: 'F' },
    }, judge([201], [404]));
    if (how === 'lost') return this.trouble(`the folder ${path} could not be moved`);
    this.madeCount += 1;
    for (const known of [this.files, this.folders] as Map<string, unknown>[]) {
      for (const [name, value] of [...known]) {
        if (name !== path && !name.startsWith(`${path}/`)) continue;
        known.delete(name);
        known.set(to + name.slice(path.length), value);
      }
    }
    await this.lookAtFolder(to);
  }

  async #remove(): Promise<void> {
    const [path = '', file] = this.someFile(true) ?? [];
    const etag = await this.#etag(path);
    if (file === undefined || etag === undefined) return;
    const { how, at } = await this.settler.settle('DELETE', this.target(path), {
      headers: { 'If-Match': etag },
    }, judge([204], [404, 412]));
    const size = this.sizeOf(path);
    if (how === 'lost') return this.doubt('delete', { [path]: size }, { [path]: 'absent' });
    this.madeCount += 1;
    this.files.delete(path);
    await this.lookAt(path, at);
  }
}

function etagOf(how: string, answer: Answer | undefined): string | undefined {
  return how === 'done' ? answer?.headers.etag : undefined;
}
