import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { fenced, judge, type Writer } from './disk-fence.ts';
import { refused, type Hello } from './handshake.ts';
import type { LocalDisk } from './local-disk.ts';
import type { ServedConnection } from './served-connection.ts';
import type { Admission, ServedSession } from './served-session.ts';
import { filerLost } from './wire-error.ts';

export interface ServedHomeParts {
  readonly clock: Clock;
  readonly settleTimeoutMs: number;
  /** All of the filer's, whatever home they are of. */
  readonly connections: ReadonlySet<ServedConnection>;
  readonly onFenceFailed: (diskId: string, reason: unknown) => void;
}

/**
 * What a filer keeps for one home: disks, or parts of disks, and who writes to them. Nothing that
 * happens in one home is seen in another one: each has epochs, writers and disks of its own.
 */
export class ServedHome {
  readonly #parts: ServedHomeParts;
  #disks: readonly LocalDisk[] = [];
  /** Who wrote last, on any of the disks. */
  #writer: Writer | undefined;
  #admitting: Promise<unknown> = Promise.resolve();
  #isClosing = false;

  constructor(parts: ServedHomeParts) {
    this.#parts = parts;
  }

  get disks(): readonly LocalDisk[] {
    return this.#disks;
  }

  /** For sessions that begin from now on. */
  add(disks: readonly LocalDisk[]): void {
    this.#disks = [...this.#disks, ...disks];
    for (const { fence: { writer } } of disks) {
      if (writer !== undefined && judge(writer, this.#writer) === 'newer') this.#writer = writer;
    }
  }

  /** Readers at once, writers one after the other: each sees the fences as the one before has left
   *  them. */
  admit(connection: ServedConnection, hello: Hello): Promise<Admission> {
    if (hello.role === 'reader') return Promise.resolve(this.#allDisks());
    const admitted = this.#admitting.then(() => this.#letIn(connection, hello));
    this.#admitting = admitted.catch(() => undefined);
    return admitted;
  }

  /** @throws conflict: somebody later, or somebody else with this epoch, writes. */
  checkWriter(hello: Hello): void {
    const standing = judge(hello, this.#writer);
    if (standing === 'stale' || standing === 'taken') throw fenced(standing);
  }

  /** Lets nobody in any more, and lets go of the disks once what is under way is over. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#admitting;
    await Promise.all(this.#disks.map((disk) => disk.close()));
  }

  #allDisks(): Admission {
    return { disks: this.#disks, blocked: new Set() };
  }

  async #letIn(connection: ServedConnection, hello: Hello): Promise<Admission> {
    if (this.#isClosing) throw refused('stopping');
    const standing = judge(hello, this.#writer);
    if (standing === 'taken') throw refused('epoch-taken');
    // Before we wait: from now on the one before begins nothing new.
    if (standing === 'newer') this.#writer = writerOf(hello);
    const older = this.#endOlder(connection, hello);
    // He may look, and is told so when he writes.
    if (standing === 'stale') return this.#allDisks();
    const disks = this.#disks;
    const blocked = new Set(disks);
    let failed = 0;
    const freed = Promise.all(disks.map(async (disk) => {
      await Promise.all(older.map((session) => session.settled(disk)));
      try {
        await disk.fence.raise(writerOf(hello));
      } catch (reason) {
        failed += 1;
        // While we waited somebody later may have come: that is no fault of the disk.
        if (!isKind(reason, 'conflict')) this.#parts.onFenceFailed(disk.id, reason);
      }
      blocked.delete(disk);
    }));
    const { clock, settleTimeoutMs } = this.#parts;
    await orTooLate(freed, settleTimeoutMs, clock);
    if (failed === disks.length) throw refused('fence-failed');
    return { disks, blocked };
  }

  /**
   * What an older coordinator, or an older connection of this one, has begun must be over before
   * the new one looks at the disk: else a write that was on its way would fall behind its back.
   * @returns the sessions to wait for.
   */
  #endOlder(connection: ServedConnection, hello: Hello): ServedSession[] {
    const older: ServedSession[] = [];
    for (const other of this.#parts.connections) {
      const { peer, session } = other;
      if (other === connection || peer?.role !== 'coordinator') continue;
      if (peer.home !== hello.home) continue;
      const isOlder = peer.epoch < hello.epoch;
      const isReplaced = peer.epoch === hello.epoch && peer.lane === hello.lane;
      const isSame = peer.coordinatorId === hello.coordinatorId;
      if (isSame && (isOlder || isReplaced)) void other.end(filerLost('ECONNRESET'));
      if (session !== undefined && (isOlder || isReplaced)) older.push(session);
    }
    return older;
  }
}

/** A disk that does not come to an end must not keep the others from being used. */
export function orTooLate(work: Promise<unknown>, timeoutMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(timeoutMs, resolve);
    work.then(() => {
      stopTimer();
      resolve();
    }, reject);
  });
}

function writerOf({ epoch, coordinatorId }: Hello): Writer {
  return { epoch, coordinatorId };
}
