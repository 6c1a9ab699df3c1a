/**
 * Which files a filer serves, and what may become of them: one short list, so that nothing else on
 * the disk can be reached, and nothing that holds users' bytes can be erased or replaced.
 */
import { HoldfastError } from '../../base/errors.ts';

/**
 * - `yes`: at once, for it can be made anew.
 * - `from-trash`: only where the disk allows it at all, and after it has lain there long enough.
 * - `no`: it goes to the trash.
 */
type Removal = 'yes' | 'from-trash' | 'no';

interface FileKind {
  readonly pattern: RegExp;
  readonly removal: Removal;
  /** The names it may get. */
  readonly becomes?: readonly NewName[];
}

interface NewName {
  /** Made of the group that the kind's pattern has caught. */
  readonly pattern: (stem: string) => RegExp;
  /** A file that has the name already is replaced. */
  readonly replaces: boolean;
}

const VOLUME = 'v\\d{8,15}\\.[1-9]\\d{0,5}';
const PARITY = 'e\\d{8,15}\\.\\d{1,2}\\.hx';
/** What is known of a set of volumes and parity files. */
const SET = 'e\\d{8,15}\\.set';
const stemAnd = (ending: string, replaces = false): NewName => ({
  pattern: (stem) => new RegExp(`^${RegExp.escape(stem)}${ending}$`), replaces,
});

/** Volumes and parity files hold users' bytes; notes are what is written beside them. */
const FILE_KINDS: readonly FileKind[] = [
  {
    pattern: new RegExp(`^(${VOLUME}\\.hv)$`), removal: 'no',
    // Emptied, or a copy that was replaced: it stays as it was, under another name.
    becomes: [stemAnd('\\.trash'), stemAnd('\\.bad-\\d{1,16}')],
  },
  { pattern: new RegExp(`^(${VOLUME}\\.hv)\\.new$`), removal: 'yes', becomes: [stemAnd('')] },
  { pattern: new RegExp(`^(${VOLUME})\\.copying$`), removal: 'yes', becomes: [stemAnd('\\.hv')] },
  {
    pattern: new RegExp(`^(${VOLUME}\\.hv)\\.trash$`), removal: 'from-trash',
    becomes: [stemAnd('')],
  },
  { pattern: new RegExp(`^${VOLUME}\\.hv\\.bad-\\d{1,16}$`), removal: 'from-trash' },
  { pattern: new RegExp(`^${VOLUME}\\.(hint|gone|copies|copying-from)$`), removal: 'yes' },
  { pattern: /^disks$/, removal: 'no' },
  {
    pattern: new RegExp(`^(${VOLUME}\\.(?:gone|copies|copying-from)|disks)\\.new$`), removal: 'yes',
    becomes: [stemAnd('', true)],
  },
  { pattern: new RegExp(`^(${PARITY})$`), removal: 'no', becomes: [stemAnd('\\.bad-\\d{1,16}')] },
  { pattern: new RegExp(`^${PARITY}\\.bad-\\d{1,16}$`), removal: 'from-trash' },
  { pattern: new RegExp(`^${SET}$`), removal: 'yes' },
  { pattern: new RegExp(`^(${SET})\\.new$`), removal: 'yes', becomes: [stemAnd('', true)] },
  { pattern: new RegExp(`^(${PARITY})\\.new$`), removal: 'yes', becomes: [stemAnd('')] },
];

export const FILE_NAME_CHARACTERS_MAX = 60;

function kindOf(name: string): FileKind | undefined {
  return FILE_KINDS.find(({ pattern }) => pattern.test(name));
}

export function isServedName(name: string): boolean {
  return kindOf(name) !== undefined;
}

/** @throws denied: not a file that a filer serves. */
export function checkServedName(name: string): void {
  if (!isServedName(name)) throw refusal('Only volumes and what belongs to them is served.');
}

/** @returns `from-trash` when it depends on the disk. @throws denied: never removed. */
export function checkRemovable(name: string): 'yes' | 'from-trash' {
  const removal = kindOf(name)?.removal ?? 'no';
  if (removal !== 'no') return removal;
  throw refusal('Only drafts, hints and notes may be removed. Move the file to the trash instead.');
}

/** @returns whether a file of the new name is replaced. @throws denied: no name for such a file. */
export function checkRenaming(from: string, to: string): { replaces: boolean } {
  const kind = kindOf(from);
  const stem = kind?.pattern.exec(from)?.[1] ?? '';
  const way = kind?.becomes?.find(({ pattern }) => pattern(stem).test(to));
  if (way !== undefined && isServedName(to)) return { replaces: way.replaces };
  throw refusal('Only a draft may be renamed, and only to its own final name.');
}

/** @throws denied: what can be removed has no place in the trash. */
export function checkTrashable(name: string): void {
  const kind = kindOf(name);
  if (kind !== undefined && kind.removal !== 'yes' && name !== 'disks') return;
  throw refusal('Only volumes and parity files go to the trash. Remove the file instead.');
}

function refusal(message: string): HoldfastError {
  return new HoldfastError('denied', 'storage/filer', message, { code: 'file-name' });
}
