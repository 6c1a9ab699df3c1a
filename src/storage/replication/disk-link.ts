import type { Clock } from '../../platform/index.ts';
import {
  errorCode, type DiskSpace, type VolumeFile, type VolumeFiles,
} from '../backends/local/volume-files.ts';
import { patienceMs, within } from './deadline.ts';
import type { DiskLabels, DiskState, VolumeDisk } from './volume-disk.ts';

/** What says that the whole disk is out of reach, and not one file of it. */
const SILENT_CODES = new Set([
  'ETIMEDOUT', 'ENODEV', 'ENXIO', 'ENOTCONN', 'ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH',
  'ENETUNREACH', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE',
]);

/** How long the last answer to `space` counts. */
const SPACE_FRESH_MS = 5000;

/**
 * One disk as the store sees it: every call to it has a deadline, and how it answers is remembered.
 * A disk that has fallen silent is asked last, until a probe has been answered.
 */
export class DiskLink {
  readonly id: string;
  readonly labels: DiskLabels;
  readonly remote: boolean;
  state: DiskState;
  readonly #files: VolumeFiles;
  readonly #clock: Clock;
  #silentSinceMs: number | undefined;
  #space: { answer: DiskSpace; askedMs: number } | undefined;

  constructor(disk: VolumeDisk, clock: Clock) {
    this.id = disk.id;
    this.labels = disk.labels;
    this.remote = disk.remote ?? false;
    this.state = disk.state;
    this.#files = disk.files;
    this.#clock = clock;
  }

  /** On the clock's monotonic time; undefined while it answers. */
  get silentSinceMs(): number | undefined {
    return this.#silentSinceMs;
  }

  /** May it be asked at all? */
  get inUse(): boolean {
    return this.state !== 'retired' && this.state !== 'missing';
  }

  get takesWrites(): boolean {
    return this.state === 'active' || this.state === 'draining';
  }

  /** Does something with the disk's files, with a deadline.
   *  @throws what the disk says; SilentDiskError. */
  async call<T>(lengthBytes: number, act: (files: VolumeFiles) => Promise<T>): Promise<T> {
    return this.watched(lengthBytes, () => act(this.#files));
  }

  /** The same for a call to one of its open files. */
  async watched<T>(lengthBytes: number, act: () => Promise<T>): Promise<T> {
    try {
      return await within(this.#clock, patienceMs(this.remote, lengthBytes), act());
    } catch (error) {
      if (SILENT_CODES.has(errorCode(error))) this.noteSilence();
      throw error;
    }
  }

  /** Opens a file; one that answers only after the deadline is closed again. */
  async open(name: string, how: 'read' | 'write' | 'create'): Promise<VolumeFile> {
    const opening = this.#files.open(name, how);
    try {
      return await this.watched(0, () => opening);
    } catch (error) {
      void opening.then((late) => late.close()).catch(() => undefined);
      throw error;
    }
  }

  noteSilence(): void {
    this.#silentSinceMs ??= this.#clock.monotonic();
  }

  noteAnswer(): void {
    this.#silentSinceMs = undefined;
  }

  /** Its room, asked anew at most every few seconds; undefined when it does not answer. */
  async space(): Promise<DiskSpace | undefined> {
    const nowMs = this.#clock.monotonic();
    if (this.#space !== undefined && nowMs - this.#space.askedMs < SPACE_FRESH_MS) {
      return this.#space.answer;
    }
    return this.measure();
  }

  /** The same, asked now. */
  async measure(): Promise<DiskSpace | undefined> {
    const askedMs = this.#clock.monotonic();
    try {
      const answer = await this.call(0, (files) => files.space());
      this.#space = { answer, askedMs };
      return answer;
    } catch {
      return undefined; // Whoever writes to it is told why.
    }
  }

  /** It has said that it is full, whatever it answered before. */
  noteFull(): void {
    const totalBytes = this.#space?.answer.totalBytes ?? 0;
    this.#space = { answer: { freeBytes: 0, totalBytes }, askedMs: this.#clock.monotonic() };
  }
}
