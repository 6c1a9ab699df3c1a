/** What an identity store keeps. Times are milliseconds since 1970 UTC. */
import type { GroupId, TenantId, UserId } from '../base/ids.ts';
import type { Scope } from './scopes.ts';

/** A company or household on the installation. Nothing of it changes once it was made. */
export interface TenantRecord {
  id: TenantId;
  title: string;
  /** Name of the storage policy that says where and how its content lies. */
  policy: string;
  createdAt: number;
}

export interface NewUserRecord {
  id: UserId;
  tenant: TenantId;
  displayName: string;
  admin: boolean;
  disabled: boolean;
  /** A PHC string (see phc.ts); undefined for a user who cannot sign in with a password. */
  passwordHash: string | undefined;
  /** Where mail for the user goes. Several users may have the same one. */
  email: string | undefined;
  createdAt: number;
}

export interface UserRecord extends NewUserRecord {
  /** Starts at 1 and grows with every change of the user or loss of one of the user's tokens:
   *  whoever remembers a verdict about the user remembers this number with it. */
  rev: number;
  /** Starts at 0 and grows with every group that the user joins or leaves. */
  groupsRev: number;
  /** The password alone does not sign in. */
  hasSecondFactor: boolean;
}

/** Codes from an authenticator app, to be shown besides the password, that are being set up. */
export interface SecondFactorDraft {
  user: UserId;
  /** What the codes are made from, sealed: see secret-seal.ts. */
  secret: string;
  createdAt: number;
}

export interface SecondFactorRecord {
  user: UserId;
  secret: string;
  /** false: being set up, and asked for nowhere. */
  isOn: boolean;
  /** Of the last code that was used: no code of it or of an earlier step is good any more. */
  lastStep: number;
  /** When it was begun; once it is on, when it was turned on. */
  since: number;
  recoveryCodesLeft: number;
}

export interface GroupRecord {
  id: GroupId;
  /** Its members are users of this tenant. */
  tenant: TenantId;
  displayName: string;
  createdAt: number;
}

export type UserPatch = Partial<
  Pick<UserRecord, 'displayName' | 'admin' | 'disabled' | 'passwordHash' | 'email'>
>;

export type TokenKind = 'app-password' | 'session' | 'api-token';

export interface TokenRecord {
  /** SHA-256 of the secret in lower-case hexadecimal. The secret itself is kept nowhere. */
  hash: string;
  /** Names the token towards its owner. No secret. */
  id: string;
  kind: TokenKind;
  user: UserId;
  /** The device's name as a person would recognise it. */
  device: string;
  createdAt: number;
  usedAt: number | undefined;
  /** The first moment at which the token no longer works; undefined: it never expires. */
  expiresAt: number | undefined;
  /** Of an API token: all that it may be used for. */
  scopes?: readonly Scope[];
}

export interface TokenTouch {
  hash: string;
  usedAt: number;
  expiresAt: number | undefined;
}

/** The one link by which the first administrator is made. */
export interface SetupLinkRecord {
  hash: string;
  expiresAt: number;
}

/** A device that waits until a signed-in person grants it an app password. */
export interface FlowRecord {
  /** SHA-256 of the secret that the device polls with. */
  pollHash: string;
  /** SHA-256 of the secret in the address that the person opens. */
  flowHash: string;
  device: string;
  /** Who granted it; undefined until then. */
  user: UserId | undefined;
  createdAt: number;
  expiresAt: number;
}
