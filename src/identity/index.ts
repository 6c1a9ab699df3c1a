/** The door of identity: who is who. Stores are opened by app, from `stores/`. */
export { Identity, type IdentityParts } from './identity.ts';
export type { ApiToken, ApiTokens, ApiTokenWishes, NewApiToken } from './api-tokens.ts';
export type { Access, AppPasswords, NewAppPassword } from './app-passwords.ts';
export type { BasicCredentials } from './authenticator.ts';
export type { Caller } from './caller.ts';
export {
  DEFAULT_IDENTITY_CONFIG, type HashCost, type IdentityConfig, type ThrottleLimits,
} from './config.ts';
export type { FailureCounts } from './failure-counts.ts';
export type { Group, Groups, NewGroup } from './groups.ts';
export type { IdentityStore } from './identity-store.ts';
export { DEVICE_NAME_CHARACTERS_MAX, DISPLAY_NAME_CHARACTERS_MAX } from './labels.ts';
export type { LinkKnock, LinkPasswords } from './link-passwords.ts';
export type { GrantedLogin, LoginFlow, LoginFlows } from './login-flows.ts';
export { PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN } from './password-policy.ts';
export { RECOVERY_CODES } from './second-factors.ts';
export type {
  NewSecondFactor, PasswordProof, SecondFactors, SecondFactorState,
} from './second-factors.ts';
export { SEALING_KEY_BYTES, SecretSeal } from './secret-seal.ts';
export { SCOPES } from './scopes.ts';
export type { Scope } from './scopes.ts';
export type { NewSession, OwnPasswordChange, Sessions, SignIn } from './sessions.ts';
export type { FirstAdministrator, SetupLink } from './setup.ts';
export { TENANTS_MAX } from './identity-store.ts';
export type { NewTenant, Tenants } from './tenants.ts';
export type { TenantRecord } from './records.ts';
export type { NewUser, User, Users } from './users.ts';
export type { SignInNotice } from './authenticator.ts';
