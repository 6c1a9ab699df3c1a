/** An upload in pieces that goes on behind a crash where it was. */
import assert from 'node:assert/strict';
import { fingerprint } from '../support/dav-client.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { encodePath } from '../support/dav-client.ts';

export class LargeUpload {
  readonly #client: DavClient;
  readonly #address: string;
  readonly #pieces: readonly Buffer[];
  #begun = false;
  #acknowledged = 0;

  constructor(client: DavClient, id: string, pieces: readonly Buffer[]) {
    this.#client = client;
    this.#address = `/remote.php/dav/uploads/${client.name}/${id}`;
    this.#pieces = pieces;
  }

  get isComplete(): boolean {
    return this.#begun && this.#acknowledged === this.#pieces.length;
  }

  get fingerprint(): string {
    return fingerprint(Buffer.concat(this.#pieces));
  }

  /** Makes the upload, or sends its next piece. A repeated call after a crash is right. */
  async sendNext(): Promise<void> {
    if (!this.#begun) {
      const { status, text } = await this.#client.ask('MKCOL', this.#address);
      assert.ok(status === 201 || status === 405, `MKCOL of an upload: ${status} ${text}`);
      this.#begun = true;
      return;
    }
    const body = this.#pieces[this.#acknowledged];
    if (body === undefined) return;
    const name = String(this.#acknowledged).padStart(16, '0');
    const { status, text } = await this.#client.ask('PUT', `${this.#address}/${name}`, { body });
    assert.ok(status === 201 || status === 204, `PUT of a piece: ${status} ${text}`);
    this.#acknowledged += 1;
  }

  async finish(path: string): Promise<Answer> {
    const Destination = this.#client.root + encodePath(path);
    const total = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    const headers = { Destination, 'OC-Total-Length': total };
    return this.#client.ask('MOVE', `${this.#address}/.file`, { headers });
  }

  /** Each acknowledged piece is there in full; an unacknowledged one in full or not at all. */
  async checkParts(): Promise<void> {
    if (!this.#begun) return;
    const { status, text } = await this.#client.ask('PROPFIND', this.#address, {
      headers: { Depth: '1' },
    });
    assert.equal(status, 207, `an acknowledged upload is gone: ${status}`);
    const sizes = [...text.matchAll(/getcontentlength>(\d+)</g)].map(([, size]) => Number(size));
    const wanted = this.#pieces.map(({ length }) => length);
    assert.ok(sizes.length >= this.#acknowledged, 'an acknowledged piece is gone');
    assert.ok(sizes.length <= this.#acknowledged + 1, 'a piece that nobody sent');
    assert.deepEqual(sizes, wanted.slice(0, sizes.length));
  }
}
