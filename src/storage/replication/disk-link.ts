import { hash } from 'node:crypto';
import type { Clock } from '../../platform/index.ts';
import {
  errorCode, type DiskSpace, type VolumeFile, type VolumeFiles,
} from '../backends/local/volume-files.ts';
import { patienceMs, within } from './deadline.ts';
import type { DiskLabels, DiskState, VolumeDisk } from './volume-disk.ts';

/** What says that the whole disk is out of reach, and not one file of it. */
export const SILENT_CODES: ReadonlySet<string> = new Set([
  'ETIMEDOUT', 'ENODEV', 'ENXIO', 'ENOTCONN', 'ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH',
  'ENETUNREACH', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE',
]);

/** After the second refusal in a row; twice as long after each further one. */
const REST_FIRST_MS = 2_000;
const REST_LAST_MS = 10 * 60_000;

/** A disk that answers, and does not take what is written to it. */
export interface Refusal {
  /** The system's word for it. */
  readonly code: string;
  /** How often in a row. */
  readonly count: number;
  /** Until then, on the clock's monotonic time, it is left alone where others can be had. */
  readonly untilMs: number;
}

/** How long the last answer to `space` counts. */
const SPACE_FRESH_MS = 5000;

/**
 * One disk as the store sees it: every call to it has a deadline, and how it answers is remembered.
 * A disk that has fallen silent is asked last, until a probe has been answered.
 */
export class DiskLink {
  readonly id: string;
  labels: DiskLabels;
  remote: boolean;
  state: DiskState;
  readonly #files: VolumeFiles;
  readonly #clock: Clock;
  #silentSinceMs: number | undefined;
  #refusal: Refusal | undefined;
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

  /** Undefined when it took what was written to it last. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Should it be left alone, because it has refused again and again? */
  get isResting(): boolean {
    return this.#refusal !== undefined && this.#refusal.untilMs > this.#clock.monotonic();
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

  /**
   * It has refused a write. Once is nothing; then it is left alone, longer each time, or every
   * repair would begin with it for ever. The share of chance in the time comes from its id, so that
   * several disks that fail together are not tried together, and a history can be lived again.
   */
  noteRefusal(code: string): void {
    const count = (this.#refusal?.count ?? 0) + 1;
    const doublings = Math.min(count - 2, 30);
    const restMs = count === 1 ? 0 : Math.min(REST_LAST_MS, REST_FIRST_MS * 2 ** doublings);
    const drawn = hash('sha256', `${this.id} ${count}`, 'buffer').readUInt16BE(0) / 2 ** 16;
    const untilMs = this.#clock.monotonic() + restMs * (0.75 + drawn / 2);
    this.#refusal = { code, count, untilMs };
  }

  /** It has taken, durably, what was written to it. */
  noteTaken(): void {
    this.#refusal = undefined;
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
