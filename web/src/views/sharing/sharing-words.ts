/** Shares in words, and what is chosen in windows as the API has it. */
import type { Share, ShareChange } from '../../../../src/wire/client.ts';
import type { IconName } from '../../parts/icons.tsx';
import { LANGUAGE, t } from '../../texts/texts.ts';

export type Role = Share['role'];
export type NodeKind = Share['nodeKind'];

/** What visitors of a link may do: one choice for what the API says in three fields. */
export type LinkMode = 'view' | 'look' | 'add' | 'drop' | 'edit';

const TERMS: Readonly<Record<LinkMode, Required<Pick<
  ShareChange, 'role' | 'hideDownload' | 'fileDrop'
>>>> = {
  view: { role: 'viewer', hideDownload: false, fileDrop: false },
  look: { role: 'viewer', hideDownload: true, fileDrop: false },
  add: { role: 'uploader', hideDownload: false, fileDrop: false },
  drop: { role: 'uploader', hideDownload: false, fileDrop: true },
  edit: { role: 'editor', hideDownload: false, fileDrop: false },
};

export function termsOfMode(mode: LinkMode) {
  return TERMS[mode];
}

export function modeOf(
  { role, fileDrop, hideDownload }: Pick<Share, 'role' | 'fileDrop' | 'hideDownload'>,
): LinkMode {
  if (fileDrop === true) return 'drop';
  if (hideDownload === true) return 'look';
  return role === 'editor' ? 'edit' : role === 'uploader' ? 'add' : 'view';
}

export function modesFor(kind: NodeKind): readonly LinkMode[] {
  return kind === 'folder' ? ['view', 'look', 'add', 'drop', 'edit'] : ['view', 'look'];
}

/** Nothing can be added to a file. */
export function rolesFor(kind: NodeKind): readonly Role[] {
  return kind === 'folder' ? ['viewer', 'uploader', 'editor', 'owner', 'none']
    : ['viewer', 'editor', 'owner', 'none'];
}

export function nameOfShare({ receiver, label, mail, kind }: Share): string {
  if (kind === 'link') return label ?? mail ?? t('sharing.link');
  return receiver?.displayName ?? t(`sharing.${kind}`);
}

export function iconOfKind(kind: Share['kind'] | 'owner'): IconName {
  return kind === 'link' ? 'link' : kind === 'group' ? 'shared' : 'user';
}

const day = new Intl.DateTimeFormat(LANGUAGE, { day: 'numeric', month: 'short', year: 'numeric' });

export function dayText(iso: string): string {
  return day.format(new Date(iso));
}

export interface ShareFact {
  readonly key: string;
  readonly text: string;
  readonly isBad?: boolean;
}

/** What there is to know about a share besides who and what. */
export function factsOf(share: Share): ShareFact[] {
  const { hasPassword, expiresAt, mailState, kind } = share;
  const facts: ShareFact[] = [];
  if (kind === 'link') facts.push({ key: 'mode', text: t(`sharing.mode.${modeOf(share)}`) });
  if (hasPassword === true) facts.push({ key: 'password', text: t('sharing.fact.password') });
  if (expiresAt !== undefined) {
    facts.push({ key: 'until', text: t('sharing.fact.until', { day: dayText(expiresAt) }) });
  }
  const downloads = downloadsFact(share);
  if (downloads !== undefined) facts.push(downloads);
  if (mailState !== undefined) {
    const isBad = mailState === 'undeliverable';
    facts.push({ key: 'mail', text: t(`sharing.fact.${mailState}`), isBad });
  }
  return facts;
}

function downloadsFact({ downloads: count = 0, downloadsMax: most }: Share): ShareFact | undefined {
  const key = 'downloads';
  if (most !== undefined && count >= most) {
    return { key, text: t('sharing.fact.spent', { most }), isBad: true };
  }
  if (most !== undefined) return { key, text: t('sharing.fact.downloadsOf', { count, most }) };
  return count === 0 ? undefined : { key, text: t('sharing.fact.downloads', { count }) };
}

/** The end of a day, by the clock of whoever chose it; `undefined` for none. */
export function endOfDay(date: string): string | undefined {
  const [year, month, dayOfMonth] = date.split('-').map(Number);
  if (year === undefined || month === undefined || dayOfMonth === undefined) return undefined;
  return new Date(year, month - 1, dayOfMonth, 23, 59, 59).toISOString();
}

/** As a field for days has it. */
export function dateOf(iso: string | undefined): string {
  if (iso === undefined) return '';
  const at = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
