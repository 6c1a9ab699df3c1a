/** Properties that tell who may do what, in the words of the client protocol. */
import { accessAt } from '../../files/index.ts';
import type { SeenNode, Sight } from '../../files/index.ts';
import type { GrantRecord, Subject } from '../../metadata/index.ts';
import { escapeText } from '../xml-text.ts';

type Seen = Pick<SeenNode, 'kind' | 'sight'>;

/** Letters as clients read them: S shared with me, R may share, M the root of a mount, G readable,
 *  D deletable, N renameable, V moveable, W writable, C and K may create files and folders
 *  inside. */
export function lettersOf({ kind, sight }: Seen): string {
  if (sight === undefined) return kind === 'file' ? OWN_FILE : OWN_FOLDER;
  let known = KNOWN.get(sight);
  if (known === undefined) {
    known = { file: spell({ kind: 'file', sight }), folder: spell({ kind: 'folder', sight }) };
    KNOWN.set(sight, known);
  }
  return kind === 'file' ? known.file : known.folder;
}

function spell(node: Seen): string {
  const { kind, sight } = node;
  const access = accessAt(node);
  const common = (sight?.isShared === true ? 'S' : '') + (access.share ? 'R' : '')
    + (sight?.isMountRoot === true ? 'M' : '') + (access.read ? 'G' : '')
    + (access.delete ? 'D' : '') + (access.move ? 'NV' : '');
  return common + (kind === 'file' ? (access.update ? 'W' : '') : (access.create ? 'CK' : ''));
}

/** The entries of a listing share their sights, so letters are put together once for many. */
const KNOWN = new WeakMap<Sight, { file: string; folder: string }>();
const OWN_FILE = spell({ kind: 'file' });
const OWN_FOLDER = spell({ kind: 'folder' });

/** 1 read, 2 update, 4 create, 8 delete, 16 share. */
export function shareBitsOf(node: Seen): number {
  const access = accessAt(node);
  const create = node.kind === 'folder' && access.create ? 4 : 0;
  return (access.read ? 1 : 0) + (access.update ? 2 : 0) + create
    + (access.update && access.delete ? 8 : 0) + (access.share ? 16 : 0);
}

const SHARE_TYPE: Readonly<Record<Subject['kind'], number>> = { user: 0, group: 1, link: 3 };

/** Each kind once. */
export function shareTypesXml(grants: readonly GrantRecord[]): string {
  const types = new Set(grants.map(({ subject }) => SHARE_TYPE[subject.kind]));
  return [...types].sort((a, b) => a - b)
    .map((type) => `<oc:share-type>${type}</oc:share-type>`).join('');
}

/** Users and groups; links are nobody's. */
export function shareesXml(grants: readonly GrantRecord[]): string {
  return grants.map(({ subject }) => {
    if (subject.kind === 'link') return '';
    const id = escapeText(subject.id);
    return `<nc:sharee><nc:id>${id}</nc:id><nc:display-name>${id}</nc:display-name>`
      + `<nc:type>${SHARE_TYPE[subject.kind]}</nc:type></nc:sharee>`;
  }).join('');
}
