/** What administrators see of an installation, and what they do about it. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { OF_TENANT } from './people.ts';
import { Bytes, Id, Instant, oneOfWords, PAGING, pageOf, PathText, shape } from './shapes.ts';

const Count = Type.Integer({ minimum: 0 });

export const QuotaRowShape = shape({
  kind: oneOfWords(['personal', 'team', 'tenant']),
  subject: Type.String({ description: 'The owner, the name of a team, or the tenant.' }),
  tenant: Id,
  spaceId: Type.Optional(Id),
  usedBytes: Bytes,
  reservedBytes: Type.Optional(Type.Integer({
    minimum: 0, description: 'Promised to uploads under way. Missing: not looked up.',
  })),
  limitBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Missing: none of its own.' })),
}, { $id: 'QuotaRow' });

export const QuotaRows = shape({
  items: Type.Array(QuotaRowShape),
  isWhole: Type.Boolean({ description: 'False: there are more than one answer tells of.' }),
}, { $id: 'QuotaRows' });

export const QuotaChange = shape({
  user: Type.Optional(Id), spaceId: Type.Optional(Id), ...OF_TENANT,
  limitBytes: Type.Union([Bytes, Type.Null()], { description: 'null: no limit.' }),
}, { $id: 'QuotaChange', description: 'Of a user, a space, or a tenant: one of them is named.' });

export const DiskShape = shape({
  id: Id,
  where: Type.String(),
  host: Type.String(),
  rack: Type.String(),
  zone: Type.String(),
  state: Type.String(),
  answers: Type.Boolean(),
  silentMs: Type.Optional(Type.Number({ description: 'For how long it has not answered.' })),
  freeBytes: Type.Optional(Bytes),
  totalBytes: Type.Optional(Bytes),
  volumeCount: Count,
  volumeBytes: Bytes,
  neededCount: Type.Integer({
    minimum: 0, description: 'Copies on it without which their volume has too few.',
  }),
}, { $id: 'Disk' });

export const DisksShape = shape({
  isSingle: Type.Boolean({ description: 'There is one disk, and no copies.' }),
  storedBytes: Type.Optional(Bytes),
  items: Type.Array(DiskShape),
  copies: Type.Optional(Count),
  repair: Type.Optional(shape({
    volumesWaiting: Count, toDoBytes: Bytes, doneBytes: Bytes,
    remainingMs: Type.Optional(Type.Number()), damagedCount: Count, blockedCount: Count,
  }, { description: 'Copies that are being made anew.' })),
  erasure: Type.Optional(shape({
    sets: Count, ending: Count, blockedCount: Count,
  }, { description: 'Sets of old volumes that have parity in place of copies.' })),
}, { $id: 'Disks' });

export const StorageShape = shape({
  kind: oneOfWords(['disks', 'objects'], 'objects: it lies in an object store.'),
  copies: Type.Optional(Count),
  diskCount: Count,
  storedBytes: Type.Integer({ minimum: 0, description: 'One copy of everything.' }),
  waitingVolumes: Type.Integer({ minimum: 0, description: 'With too few copies at present.' }),
  damagedCount: Count,
  refusesWrites: Type.Optional(oneOfWords(['full', 'failed', 'closed'])),
  mirror: Type.Optional(shape({
    lagBlocks: Count, lagBytes: Bytes,
    isRefusing: Type.Boolean({ description: 'The second place takes nothing at the moment.' }),
    comparedAt: Type.Optional(Instant),
  }, { description: 'A second place that gets everything too. Missing: there is none.' })),
}, { $id: 'Storage' });

export const DiskOrder = shape({
  ...OF_TENANT,
  action: oneOfWords(['drain', 'undrain', 'retire']),
  acceptLoss: Type.Optional(Type.Boolean({
    description: 'Of retire: also when volumes have no copy elsewhere.',
  })),
  planEtag: Type.Optional(Type.String({
    maxLength: 200,
    description: 'etag of the plan that was looked at: does it, if the plan is still the same. '
      + 'Without it only the plan is made.',
  })),
}, { $id: 'DiskOrder' });

export const DiskPlanShape = shape({
  action: Type.String(),
  diskId: Id,
  volumeCount: Count,
  volumeBytes: Bytes,
  objections: Type.Array(Type.String(), {
    description: 'Why it is refused; none: it may be done.',
  }),
  notes: Type.Array(Type.String()),
  etag: Type.String(),
  isDone: Type.Boolean({ description: 'False: this is the plan, and nothing was done.' }),
}, { $id: 'DiskPlan' });

const DaysShape = Type.Array(shape({
  day: Type.String({ description: '2026-11-21, in UTC.' }), checked: Type.Number(),
}, { $id: 'DayFigure' }), {
  description: 'What the server has looked at on each of the last 31 days, in the unit, oldest '
    + 'first; days without are left out.',
});

export const VerifierShape = shape({
  id: Type.String(),
  unit: oneOfWords(['bytes', 'items']),
  cycleMs: Type.Number({ description: 'Everything is to be checked once in this time.' }),
  checked: Type.Number(),
  total: Type.Number(),
  oldestUncheckedAt: Type.Optional(Type.String({
    format: 'date-time', description: 'Everything was checked since then.',
  })),
  lastBegunAt: Type.Optional(Instant),
  lastEndedAt: Type.Optional(Instant),
  idleReason: Type.Optional(Type.String()),
  openDamage: Count,
  openNotices: Count,
  days: DaysShape,
}, { $id: 'Verifier' });

export const FindingShape = shape({
  id: Count, verifier: Type.String(), kind: Type.String(),
  says: Type.String({ description: 'What it means, in words.' }),
  severity: oneOfWords(['damage', 'notice']), where: Type.String(),
  firstSeenAt: Instant, lastSeenAt: Instant, times: Count,
}, { $id: 'Finding' });

export const VerifiersShape = shape({
  hasRun: Type.Boolean({ description: 'False: no verifier has run here yet.' }),
  items: Type.Array(VerifierShape),
  findings: Type.Array(FindingShape, { description: 'Open ones, at most 200.' }),
  openDamage: Count,
  openNotices: Count,
  provedAt: Type.Optional(Type.String({
    format: 'date-time', description: 'When faults that were planted were last all found.',
  })),
}, { $id: 'Verifiers' });

export const JobShape = shape({
  id: Id,
  kind: oneOfWords(['restore', 'undo', 'keep', 'verification', 'collection', 'repair']),
  state: oneOfWords(['running', 'done', 'waiting', 'stopped']),
  what: Type.Optional(Type.String()),
  by: Type.Optional(Id),
  beganAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  doneCount: Type.Optional(Count),
  totalCount: Type.Optional(Count),
  skippedCount: Type.Optional(Count),
}, { $id: 'Job' });
export type Job = Static<typeof JobShape>;
export const JobsShape = shape({ items: Type.Array(JobShape) }, { $id: 'Jobs' });

export const AuditEntryShape = shape({
  seq: Count, at: Instant, act: Type.String(),
  user: Type.String({ description: '"": the server itself, or nobody knows.' }),
  device: Type.Optional(Type.String()), from: Type.Optional(Type.String()),
  spaceId: Type.Optional(Id), nodeId: Type.Optional(Id), folderId: Type.Optional(Id),
  name: Type.Optional(Type.String()), nameBefore: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()), note: Type.Optional(Type.String()),
}, { $id: 'AuditEntry' });
export const AuditPage = pageOf(AuditEntryShape, 'AuditEntries');
export const AuditQuery = shape({
  ...OF_TENANT, ...PAGING,
  user: Type.Optional(Type.String({ maxLength: 64 })),
  act: Type.Optional(Type.String({ maxLength: 64 })),
  since: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
  until: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
});

export const SettingsShape = shape({
  items: Type.Array(shape({
    key: Type.String(),
    value: Type.String({ description: 'As the file would spell it; of a secret nothing.' }),
    source: Type.String({ description: 'default, file, environment or flag, with its place.' }),
    isSecret: Type.Boolean(),
    docs: Type.Optional(Type.String()),
  }, { $id: 'Setting' })),
}, { $id: 'Settings' });

export const HealthShape = shape({
  state: oneOfWords(['starting', 'serving', 'draining', 'closed']),
  startedAt: Instant,
  version: Type.String(),
  requestsUnderWay: Count,
  storage: shape({
    blockCount: Count, storedBytes: Bytes, queuedBytes: Bytes, damagedCount: Count,
    refusesWrites: Type.Optional(oneOfWords(['full', 'failed', 'closed'])),
  }),
  closedTenants: Type.Array(Id, { description: 'Whose files cannot be reached at the moment.' }),
}, { $id: 'Health' });

export const SeriesQuery = shape({
  range: Type.Optional(oneOfWords(['day', 'live'], 'live: the last 15 minutes; day without it.')),
});
const Numbers = Type.Array(Type.Union([Type.Number(), Type.Null()]));
export const SeriesShape = shape({
  stepMs: Type.Integer({ minimum: 1 }),
  at: Type.Array(Instant, { description: 'The end of each step, oldest first.' }),
  requests: Numbers, errors: Numbers, p50Ms: Numbers, p99Ms: Numbers, storedBytes: Numbers,
  loopDelayMs: Numbers, listeners: Numbers,
}, {
  $id: 'Series',
  description: 'Figures of the last 24 hours at most, minute by minute, or of the last 15 minutes '
    + 'in steps of 10 seconds; since the last start. null: nothing was measured. Latencies are '
    + 'upper bounds, by the steps of a histogram.',
});

export const QuarantineShape = shape({
  id: Id, spaceId: Id, user: Id, device: Type.String(),
  state: Type.String(), openedAt: Instant, heldCount: Count, heldBytes: Bytes,
  batchId: Type.Optional(Id), decidedBy: Type.Optional(Id), decidedAt: Type.Optional(Instant),
}, { $id: 'Quarantine' });
export const QuarantinesShape = shape({
  items: Type.Array(QuarantineShape),
}, { $id: 'Quarantines' });
export const HeldPage = pageOf(shape({
  id: Id, nodeId: Id, kind: oneOfWords(['deleted', 'content']),
  nodeKind: oneOfWords(['file', 'folder']), name: Type.String(), path: Type.Optional(PathText),
  heldAt: Instant, sizeBytes: Bytes,
}, { $id: 'Held' }), 'HeldPage');

export const ManagedLocks = shape({
  items: Type.Array(shape({
    nodeId: Id, spaceId: Id, holder: Id, scope: oneOfWords(['exclusive', 'shared']),
    isDeep: Type.Boolean({ description: 'It covers all below a folder.' }), until: Instant,
    name: Type.Optional(Type.String({ description: 'Of the first 1,000.' })),
  }, { $id: 'ManagedLock' })),
}, { $id: 'ManagedLocks' });
export const BrokenLocks = shape({ count: Count }, { $id: 'BrokenLocks' });

export const SafetyShape = shape({
  verdict: oneOfWords(['good', 'attention', 'unknown'], 'unknown: it cannot be said at present.'),
  files: Type.Optional(Type.Integer({
    minimum: 0, description: 'Missing: they are being counted, or are too many for it.',
  })),
  filesCountedAt: Type.Optional(Type.String({
    format: 'date-time', description: 'What has come or gone since is not in `files`.',
  })),
  sizeBytes: Bytes,
  copies: Type.Optional(Type.Integer({
    minimum: 1, description: 'Missing: not known here, for example in an object store.',
  })),
  kind: oneOfWords(['disks', 'objects']),
  diskCount: Type.Optional(Type.Integer({ minimum: 0, description: 'Among which copies lie.' })),
  mirror: Type.Optional(oneOfWords(['in-step', 'behind', 'away'], 'A second place that gets '
    + 'everything too. Missing: there is none.')),
  readDays: DaysShape,
  everyByteReadSince: Type.Optional(Instant),
  lastReadAt: Type.Optional(Instant),
  openProblems: Type.Optional(Count),
  verifiersProvedAt: Type.Optional(Instant),
  lastExerciseAt: Type.Optional(Type.String({
    format: 'date-time', description: 'When a restore was last exercised. Missing: never.',
  })),
  statements: Type.Array(shape({
    code: Type.String(), tone: oneOfWords(['good', 'attention', 'unknown']), text: Type.String(),
  }, { $id: 'SafetyStatement' })),
}, { $id: 'Safety' });
export type Safety = Static<typeof SafetyShape>;
