/** A client of the API: every change has a key, and no other condition. */
import type { Answer, Ask } from '../support/dav-client.ts';
import { Lane } from './lane.ts';
import type { Settled, Verdict } from './settled.ts';

const FOLDERS_MAX = 4;

function judge({ status, text }: Answer): Verdict {
  if (status >= 200 && status < 300) return 'done';
  if (status !== 409) return 'lost';
  if (text.includes('idempotency-busy')) return 'again';
  return text.includes('idempotency-done') ? 'done' : 'lost';
}

export class KeyedLane extends Lane {
  #keys = 0;

  override async begin(): Promise<void> {
    const seen = await this.settler.read('/api/v1/session');
    const { root } = JSON.parse(seen?.answer.text ?? '{}') as { root: { id: string } };
    this.folders.set('', { isHaunted: true, id: root.id });
    await this.#makeFolder(this.folder);
    this.folders.delete('');
  }

  override async step(): Promise<void> {
    const at = this.settler.random.next();
    if (at < 0.35) return this.#putNew();
    if (at < 0.65) return this.#putOver();
    if (at < 0.78) return this.#move();
    if (at < 0.88) return this.#remove();
    if (at < 0.92 && this.folders.size <= FOLDERS_MAX) return this.#makeFolder(this.newName());
    return this.lookAtFolder(this.settler.random.pick([...this.folders.keys()]));
  }

  async #keyed(method: string, target: string, wanted: Ask): Promise<Settled> {
    this.#keys += 1;
    const headers = { ...wanted.headers, 'Idempotency-Key': `${this.folder}-${this.#keys}` };
    const settled = await this.settler.settle(method, `/api/v1/nodes/${target}`, {
      ...wanted, headers,
    }, judge);
    if (settled.answer?.headers['idempotency-replayed'] !== undefined) {
      this.settler.findings.count('answers that were kept');
    }
    return settled;
  }

  async #idOf(path: string): Promise<string> {
    const known = this.folders.get(path) ?? this.files.get(path);
    if (known?.id !== undefined) return known.id;
    const seen = await this.settler.read(
      `/api/v1/nodes/by-path?path=${encodeURIComponent(`/${path}`)}`);
    const { id } = JSON.parse(seen?.answer.text ?? '{}') as { id?: string };
    if (id === undefined) this.trouble(`${path} is not found: ${seen?.answer.text}`);
    if (known !== undefined) known.id = id;
    return id ?? 'unknown';
  }

  async #makeFolder(path: string): Promise<void> {
    const [parent, name] = split(path);
    const { how } = await this.#keyed('POST', `${await this.#idOf(parent)}/children`,
      json({ kind: 'folder', name }));
    if (how === 'lost') {
      if (path === this.folder) this.trouble(`${path} could not be made`);
      return this.doubt('make folder', { [path]: 'folder' }, { [path]: 'absent' });
    }
    this.madeCount += 1;
    this.folders.set(path, { isHaunted: false, id: undefined });
  }

  async #putNew(): Promise<void> {
    const path = this.newName();
    const [parent, name] = split(path);
    const size = this.nextSize();
    const { how, at } = await this.#keyed('PUT',
      `${await this.#idOf(parent)}/children/${name}/content`, { body: this.bytesOf(size) });
    if (how === 'lost') return this.doubt('keyed put', { [path]: size }, { [path]: 'absent' });
    this.madeCount += 1;
    this.files.set(path, { sizes: [size], etag: undefined, id: undefined, isHaunted: false });
    await this.lookAt(path, at);
  }

  async #putOver(): Promise<void> {
    const [path = '', file] = this.someFile() ?? [];
    if (file === undefined) return;
    const size = this.nextSize();
    const before = this.sizeOf(path);
    const { how, at } = await this.#keyed('PUT', `${await this.#idOf(path)}/content`, {
      body: this.bytesOf(size),
    });
    if (how === 'lost') return this.doubt('keyed put over', { [path]: size }, { [path]: before });
    this.madeCount += 1;
    file.sizes.push(size);
    await this.lookAt(path, at);
  }

  async #move(): Promise<void> {
    const [path = '', file] = this.someFile() ?? [];
    if (file === undefined) return;
    const to = this.newName();
    const [parent, name] = split(to);
    const { how, at } = await this.#keyed('PATCH', await this.#idOf(path), json({
      parentId: await this.#idOf(parent), name,
    }));
    const size = this.sizeOf(path);
    if (how === 'lost') {
      return this.doubt('keyed move', { [path]: size, [to]: 'absent' },
        { [path]: 'absent', [to]: size });
    }
    this.madeCount += 1;
    this.files.delete(path);
    this.files.set(to, file);
    await this.lookAt(to, at);
    await this.lookAt(path, at);
  }

  async #remove(): Promise<void> {
    const [path = '', file] = this.someFile() ?? [];
    if (file === undefined) return;
    const { how, at } = await this.#keyed('DELETE', await this.#idOf(path), {});
    const size = this.sizeOf(path);
    if (how === 'lost') return this.doubt('keyed delete', { [path]: size }, { [path]: 'absent' });
    this.madeCount += 1;
    this.files.delete(path);
    await this.lookAt(path, at);
  }
}

function split(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf('/');
  return [at < 0 ? '' : path.slice(0, at), path.slice(at + 1)];
}

function json(body: unknown): Ask {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
