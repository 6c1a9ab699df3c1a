/** A share as people deal with it: who may do what with which file or folder, and on what terms. */
import type { GrantId, TenantId, UserId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { Instant, NodeRecord, Subject } from '../../metadata/index.ts';
import type { Viewer } from '../view/link-caller.ts';
import type { LetterState } from '../../mail/index.ts';
import type { ShareTerms } from './terms.ts';

export interface Share {
  id: GrantId;
  /** A link is told apart by its id; the secret of its address is in `terms`. */
  subject: Subject;
  role: Role;
  terms: ShareTerms;
  expiresAt: Instant | undefined;
  createdBy: UserId;
  createdAt: Instant;
  /** It appears among the receiver's own folders; else it only says what may be done there. */
  isShown: boolean;
  /** Of a link: how often something was downloaded by it. */
  downloads: number;
  /** What is shared, under its own name. */
  node: NodeRecord;
  /** Whose space it lies in; undefined: a team's. */
  owner: UserId | undefined;
  /** Names from the root of the asker's view; undefined: the asker does not see it at present. */
  path: readonly string[] | undefined;
  /** The asker may change and end it. */
  isMine: boolean;
  /** Of a mail about it: it still waits, or could not be delivered; undefined: it was sent, or
   *  there is none. */
  invitation?: LetterState;
}

/** Whom to share with. */
export type Receiver =
  | { kind: 'user' | 'group'; id: string }
  | { kind: 'link' }
  /** A link that is sent to this address. */
  | { kind: 'mail'; address: string };

export interface ShareWishes {
  role?: Role;
  /** undefined as a value: never. */
  expiresAt?: Instant | undefined;
  label?: string;
  note?: string;
  /** Of a link; '' for none from now on. */
  password?: string;
  /** Of a link; 0 for no limit. */
  downloadsMax?: number;
  /** Of a link. */
  hideDownload?: boolean;
  /** Of a link: files can be left there, and nothing is shown. */
  fileDrop?: boolean;
}

export interface NewShare extends ShareWishes {
  receiver: Receiver;
  role: Role;
  /** When left out: yes, unless the role is `none`. */
  isShown?: boolean;
  /** A user with a mail address gets a mail about it, if mail is sent here. Best effort: a share
   *  holds also when its mail cannot be kept. */
  notify?: boolean;
}

/** Who there is to share with; `identity` knows. */
export interface People {
  /** Who may sign in, in this tenant. */
  hasUser(id: UserId, tenant: TenantId): Promise<boolean>;
  hasGroup(id: string, tenant: TenantId): Promise<boolean>;
  /** undefined: nobody of this name may sign in. */
  findViewer(id: UserId): Promise<Viewer | undefined>;
  /** Where mail for somebody goes who may sign in; undefined: nobody knows. */
  findAddress(id: UserId): Promise<string | undefined>;
}

/** Passwords of links; `identity` keeps them. */
export interface LinkPasswordKeeper {
  hash(password: string): Promise<string>;
  verify(phc: string, knock: LinkKnock): Promise<boolean>;
  noteMissing(knock: Omit<LinkKnock, 'link'>): void;
}

interface LinkKnock {
  link: string | undefined;
  password: string;
  address: string;
}
