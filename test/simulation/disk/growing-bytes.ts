/** Bytes that grow without being copied for each write. Beyond their end they are zeros. */
export class GrowingBytes {
  #buffer: Buffer;
  #length: number;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes);
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** Not to be kept: the next change may show in it or not. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  copy(): Buffer {
    return Buffer.from(this.view());
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#length) this.resize(end);
    this.#buffer.set(bytes, position);
  }

  /** Cuts off, or adds zeros. */
  resize(sizeBytes: number): void {
    if (sizeBytes > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(sizeBytes, this.#buffer.length * 2, 4096));
      larger.set(this.view());
      this.#buffer = larger;
    }
    // What is cut off must not come back when the file grows again.
    if (sizeBytes < this.#length) this.#buffer.fill(0, sizeBytes, this.#length);
    this.#length = sizeBytes;
  }
}
