/** "Is my data safe?": what verifiers and storage say about the files of whoever asks. What is not
 *  known is said to be so; nothing here is better than what was found. */
import { etagOf } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { SafetyShape } from '../../wire/administration.ts';
import type { Safety } from '../../wire/administration.ts';
import type { Administration, ShownStorage } from './administration.ts';
import { timeText } from './node-view.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const FOLDERS_MAX = 20_000;
const FILES_MAX = 200_000;
/** Callers whose files were counted; a change of anything has them counted anew. */
const COUNTS_MAX = 1_000;
/** A cycle may end late on a busy machine. */
const LATE = 1.5;

type Statement = Safety['statements'][number];
type Report = Awaited<ReturnType<Administration['verification']>>;
/** Those that read stored bytes. */
const READERS = ['disk-scrubber', 'object-scrubber'];

export function safetyResource(api: RestApi, parts: RestParts): void {
  const { administration } = parts;
  if (administration === undefined) return;
  const counter = new FileCounter(parts);
  api.operation({
    id: 'getSafety', tag: 'account', method: 'GET', path: '/safety', scope: 'files:read',
    summary: 'Is my data safe? In words that are true',
    success: { status: 200, description: 'As far as it is known.', schema: SafetyShape },
    async answer({ caller }) {
      const { tenant } = caller;
      const report = await administration.verification(tenant);
      const storage = await administration.storage(tenant);
      const files = await counter.count(caller);
      const { usedBytes } = await parts.files.quota(caller);
      return { body: safetyOf({ report, storage, files, sizeBytes: usedBytes, now: parts.now() }) };
    },
  });
}

export function safetyOf({ report, storage, files, sizeBytes, now }: {
  report: Report; storage: ShownStorage; files: number | undefined; sizeBytes: number; now: number;
}): Safety {
  const reader = report?.verifiers.find(({ id, coverage }) =>
    READERS.includes(id) && coverage.total > 0);
  const since = reader?.coverage.oldestUncheckedMs;
  const isWhole = reader !== undefined && reader.coverage.checked >= reader.coverage.total;
  const statements = [
    ...readingStatements({ since, isWhole, cycleMs: reader?.cycleMs, now }),
    ...problemStatements(report), ...storageStatements(storage),
  ];
  const tones = statements.map(({ tone }) => tone);
  const verdict = tones.includes('attention') ? 'attention'
    : tones.includes('unknown') ? 'unknown' : 'good';
  const { provedMs } = report ?? {};
  return {
    verdict, ...(files !== undefined && { files }), sizeBytes,
    ...(storage.copies !== undefined && { copies: storage.copies }),
    ...(isWhole && since !== undefined && { everyByteReadSince: timeText(since) }),
    ...(reader?.lastEndedMs !== undefined && { lastReadAt: timeText(reader.lastEndedMs) }),
    ...(report !== undefined && { openProblems: report.openDamage }),
    ...(provedMs !== undefined && { verifiersProvedAt: timeText(provedMs) }),
    statements,
  };
}

function readingStatements({ since, isWhole, cycleMs, now }: {
  since: number | undefined; isWhole: boolean; cycleMs: number | undefined; now: number;
}): Statement[] {
  if (since === undefined || cycleMs === undefined) {
    return [{
      code: 'never-read', tone: 'unknown',
      text: 'What is stored has not been read back yet: a server begins with it by itself.',
    }];
  }
  const days = Math.max(1, Math.ceil((now - since) / (24 * 60 * 60 * 1000)));
  const within = `${days} ${days === 1 ? 'day' : 'days'}`;
  if (now - since > cycleMs * LATE) {
    return [{
      code: 'reading-late', tone: 'attention',
      text: `Some of what is stored was last read back ${within} ago: longer than it should be.`,
    }];
  }
  if (!isWhole) {
    return [{
      code: 'reading-under-way', tone: 'unknown',
      text: 'Not everything that is stored has been read back yet: it is going on.',
    }];
  }
  return [{
    code: 'all-read', tone: 'good',
    text: `Every stored byte was read back and compared with its checksum within ${within}.`,
  }];
}

function problemStatements(report: Report): Statement[] {
  if (report === undefined) return [];
  const { openDamage } = report;
  if (openDamage === 0) {
    return [{ code: 'no-problems', tone: 'good', text: 'No damage is known.' }];
  }
  const what = openDamage === 1 ? 'One problem is open' : `${openDamage} problems are open`;
  return [{
    code: 'problems-open', tone: 'attention',
    text: `${what} in the storage of your organisation. The administrators see which.`,
  }];
}

function storageStatements(storage: ShownStorage): Statement[] {
  const { copies, waitingVolumes, damagedCount, refusesWrites } = storage;
  const statements: Statement[] = [];
  if (copies === undefined) {
    statements.push({
      code: 'copies-elsewhere', tone: 'good',
      text: 'Copies are kept by the operator of the object store: how many is theirs to say.',
    });
  } else if (copies === 1) {
    statements.push({
      code: 'one-copy', tone: 'attention',
      text: 'There is one copy of everything: if its disk breaks, only a backup helps.',
    });
  } else {
    statements.push({
      code: 'copies', tone: 'good', text: `There are ${copies} copies of everything.`,
    });
  }
  if (waitingVolumes > 0) {
    statements.push({
      code: 'copies-missing', tone: 'attention',
      text: 'Some of it has fewer copies at present; they are being made anew.',
    });
  }
  if (damagedCount > 0) {
    statements.push({
      code: 'unreadable', tone: 'attention', text: 'Something that was stored cannot be read.',
    });
  }
  if (refusesWrites !== undefined) {
    statements.push({
      code: 'read-only', tone: 'attention',
      text: 'Nothing new can be stored at present; what is there can be read.',
    });
  }
  return statements;
}

/** How many files somebody sees. It is counted again when anything in the tree has changed. */
class FileCounter {
  readonly #files: RestParts['files'];
  readonly #known = new Map<string, { etag: string; count: number | undefined }>();

  constructor({ files }: RestParts) {
    this.#files = files;
  }

  /** undefined: too many. */
  async count(caller: Caller): Promise<number | undefined> {
    const { node } = await this.#files.get(caller, []);
    const etag = etagOf(node);
    const known = this.#known.get(caller.user);
    if (known?.etag === etag) return known.count;
    const count = await this.#walk(caller);
    if (this.#known.size >= COUNTS_MAX) this.#known.clear();
    this.#known.set(caller.user, { etag, count });
    return count;
  }

  async #walk(caller: Caller): Promise<number | undefined> {
    let count = 0;
    const waiting: Parameters<RestParts['files']['list']>[1][] = [[]];
    for (let looked = 0; looked < FOLDERS_MAX; looked += 1) {
      const path = waiting.pop();
      if (path === undefined) return count;
      if (await this.#files.find(caller, path) === undefined) continue;
      const { pages } = await this.#files.list(caller, path);
      for await (const page of pages) {
        for (const { kind, name } of page) {
          if (kind === 'file') count += 1;
          else waiting.push([...path, name as typeof path[number]]);
        }
        if (count > FILES_MAX) return undefined;
      }
    }
    return undefined;
  }
}
