/** What a share says besides who may do what: kept with the grant as JSON. */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { GrantRecord } from '../../metadata/index.ts';

export interface ShareTerms {
  /** What its maker calls it. */
  readonly label?: string;
  /** A word to who receives it. */
  readonly note?: string;
  /** Of a link's password: a PHC string. */
  readonly password?: string;
  /** How many downloads a link allows. */
  readonly downloadsMax?: number;
  /** Names are shown, bytes are not handed out. */
  readonly hideDownload?: boolean;
  /** Files can be left there, and nothing is shown. */
  readonly fileDrop?: boolean;
  /** A link's secret part of its address, so that its maker can see the address again. */
  readonly token?: string;
  /** Where an invitation went to. */
  readonly mail?: string;
}

const CHARACTERS_MAX = 1000;

/** Unknown fields of a later version are kept by nobody who rewrites terms, so they are refused.
 *  @throws corrupt: these are no terms. */
export function readTerms(json: string): ShareTerms {
  if (json === '') return {};
  try {
    const terms: unknown = JSON.parse(json);
    if (typeof terms === 'object' && terms !== null && !Array.isArray(terms)) return terms;
  } catch (cause) {
    throw unreadable(cause);
  }
  throw unreadable(undefined);
}

/** What was said with a share of this very node; '' for nothing. */
export type NotesAt = (node: { spaceId: SpaceId; id: NodeId }) => string;

/** undefined: nothing was said with any of them. */
export function notesOf(grants: readonly GrantRecord[]): NotesAt | undefined {
  const notes = new Map<string, string>();
  for (const { spaceId, nodeId, terms } of grants) {
    const { note } = readTerms(terms);
    if (note === undefined) continue;
    const key = `${spaceId}/${nodeId}`;
    const others = notes.get(key);
    notes.set(key, others === undefined ? note : `${others}\n${note}`);
  }
  if (notes.size === 0) return undefined;
  return ({ spaceId, id }) => notes.get(`${spaceId}/${id}`) ?? '';
}

export function writeTerms(terms: ShareTerms): string {
  const said = Object.entries(terms).filter(([, value]) => value !== undefined && value !== '');
  return said.length === 0 ? '' : JSON.stringify(Object.fromEntries(said));
}

/** Labels and notes are shown to people: control characters go. @throws invalid: too long. */
export function presentableText(raw: string, what: 'label' | 'note'): string {
  const text = raw.toWellFormed().replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
  if (text.length <= CHARACTERS_MAX) return text;
  const message = `This ${what} is too long: ${CHARACTERS_MAX} characters at most.`;
  throw new HoldfastError('invalid', 'files/share', message, { code: 'share-text' });
}

function unreadable(cause: unknown): HoldfastError {
  const message = 'The terms of a share cannot be read. Remove the share and make it again.';
  return new HoldfastError('corrupt', 'files/readTerms', message, { cause });
}
