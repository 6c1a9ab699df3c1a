/** What can stand in the audit log, in words. */
import { t } from '../../texts/texts.ts';

export const ACTS = [
  'create', 'update', 'move', 'delete', 'restore', 'properties', 'grant', 'revoke',
  'trash-emptied', 'download', 'link-opened', 'link-refused', 'signed-in', 'sign-in-refused',
  'app-password-made', 'app-password-removed', 'session-ended', 'api-token-made',
  'api-token-removed', 'tenant-added', 'tenant-moved', 'user-added', 'user-changed',
  'user-disabled',
  'user-enabled', 'password-set', 'group-changed', 'space-added', 'quota-set', 'retention-set',
  'lock-broken', 'brake-applied', 'brake-decided', 'counters-healed', 'files-transferred',
  'collection-begun', 'log-opened', 'log-cut',
] as const;
type Act = (typeof ACTS)[number];

export function actText(act: string): string {
  // A newer server may say what this page has no words for.
  return (ACTS as readonly string[]).includes(act) ? t(`admin.act.${act as Act}`) : act;
}
