/**
 * Loaded before a program: makes the versions after this one of it, by changing two statements of
 * the metadata while they are read. All else is the program as it is. What it stands for: the trash
 * keeps hours, where it kept days.
 *
 * `after` keeps the old column right, too, for the version before; `later` mentions it nowhere, so
 * it reads rows of the new form only.
 */
import { registerHooks } from 'node:module';

export type Version = 'before' | 'after' | 'later';

type Edit = readonly [file: string, from: string, to: string];

const READ = ['past-statements.ts', 'trash_keep_days\n    FROM retention'] as const;
const COLUMNS = ['past-writes.ts', 'versions_keep_daily_days, trash_keep_days)'] as const;
const VALUES = ['past-writes.ts', 'VALUES (?, ?, ?, ?, ?)`,\n\n  getFloor'] as const;
const REST = '`,\n\n  getFloor';

const EDITS: Readonly<Record<Version, readonly Edit[]>> = {
  before: [],
  after: [
    [...READ, 'CASE WHEN form < 1 THEN trash_keep_days ELSE trash_keep_hours / 24 END\n'
      + '    FROM retention'],
    [...COLUMNS, 'versions_keep_daily_days, trash_keep_days, trash_keep_hours, form)'],
    [...VALUES, `SELECT a, b, c, d, e, e * 24, 1
      FROM (SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e) v${REST}`],
  ],
  later: [
    [...READ, 'trash_keep_hours / 24\n    FROM retention'],
    [...COLUMNS, 'versions_keep_daily_days, trash_keep_hours, form)'],
    [...VALUES, `VALUES (?, ?, ?, ?, ? * 24, 1)${REST}`],
  ],
};

const { HOLDFAST_TEST_VERSION: version = 'before' } = process.env;
const edits = EDITS[version as Version];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const ours = edits.filter(([file]) => url.endsWith(`/${file}`));
    if (ours.length === 0) return loaded;
    let source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    for (const [file, from, to] of ours) {
      if (!source.includes(from)) throw new Error(`${file} has no ${from} any more`);
      source = source.replace(from, to);
    }
    return { ...loaded, source };
  },
});
