/** "Is my data safe?": what verifiers and storage say about the files of whoever asks. What is not
 *  known is said to be so; nothing here is better than what was found. */
import { SafetyShape } from '../../wire/administration.ts';
import type { Safety } from '../../wire/administration.ts';
import type { Administration, ShownStorage } from './administration.ts';
import { FileCounter } from './file-counter.ts';
import type { FileCount } from './file-counter.ts';
import { timeText } from './node-view.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

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
      const counted = await counter.of(caller);
      const { usedBytes } = await parts.files.quota(caller);
      const now = parts.now();
      return { body: safetyOf({ report, storage, counted, sizeBytes: usedBytes, now }) };
    },
  });
}

export function safetyOf({ report, storage, counted, sizeBytes, now }: {
  report: Report; storage: ShownStorage; counted: FileCount | undefined; sizeBytes: number;
  now: number;
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
    verdict, sizeBytes, ...countAnswer(counted), ...placeAnswer(storage),
    readDays: reader?.days ?? [],
    ...(isWhole && since !== undefined && { everyByteReadSince: timeText(since) }),
    ...(reader?.lastEndedMs !== undefined && { lastReadAt: timeText(reader.lastEndedMs) }),
    ...(report !== undefined && { openProblems: report.openDamage }),
    ...(provedMs !== undefined && { verifiersProvedAt: timeText(provedMs) }),
    statements,
  };
}

function countAnswer(counted: FileCount | undefined) {
  if (counted?.files === undefined) return {};
  return { files: counted.files, filesCountedAt: timeText(counted.countedAt) };
}

function placeAnswer({ kind, diskCount, mirror, copies }: ShownStorage) {
  return {
    kind, ...(kind === 'disks' && { diskCount }), ...(copies !== undefined && { copies }),
    ...(mirror !== undefined && { mirror: mirrorWord(mirror) }),
  };
}

function mirrorWord(
  { lagBlocks, isRefusing }: NonNullable<ShownStorage['mirror']>,
): NonNullable<Safety['mirror']> {
  if (isRefusing) return 'away';
  return lagBlocks > 0 ? 'behind' : 'in-step';
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
  const { copies, waitingVolumes, damagedCount, refusesWrites, mirror } = storage;
  const statements: Statement[] = [];
  if (copies === undefined) {
    statements.push({
      code: 'copies-elsewhere', tone: 'good',
      text: 'Copies are kept by the operator of the object store: how many is theirs to say.',
    });
  } else if (copies === 1 && mirror !== undefined) {
    statements.push({
      code: 'copy-in-mirror', tone: 'good',
      text: 'There is one copy of everything, and another one in a second place.',
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
  if (mirror !== undefined && mirrorWord(mirror) !== 'in-step') {
    statements.push({
      code: mirror.isRefusing ? 'mirror-away' : 'mirror-behind', tone: 'attention',
      text: mirror.isRefusing ? 'The second place does not answer: what is new lies in one place.'
        : 'The second place does not have all of what is new yet; it is being copied.',
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
