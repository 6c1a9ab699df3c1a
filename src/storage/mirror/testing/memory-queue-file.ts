import type { QueueFile } from '../queue-file.ts';

/** QueueFile in memory, for tests. It outlives its users, as a disk does. */
export class MemoryQueueFile implements QueueFile {
  /** What is durable; change it from outside to damage it. */
  content: Buffer | undefined;
  /** Called first by `append` and `replace`: throw or wait here to make the disk fail or hang. */
  onWrite: (call: 'append' | 'replace', bytes: Uint8Array) => void | Promise<void> =
    () => undefined;
  appendCount = 0;
  replaceCount = 0;

  read(): Promise<Buffer | undefined> {
    return Promise.resolve(this.content === undefined ? undefined : Buffer.from(this.content));
  }

  async append(bytes: Uint8Array): Promise<void> {
    const copy = Buffer.from(bytes);
    await this.onWrite('append', copy);
    this.appendCount += 1;
    if (this.content === undefined) throw new Error('the file was not replaced yet');
    this.content = Buffer.concat([this.content, copy]);
  }

  async replace(bytes: Uint8Array): Promise<void> {
    const copy = Buffer.from(bytes);
    await this.onWrite('replace', copy);
    this.replaceCount += 1;
    this.content = copy;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
