import { useSession } from '../../shell/session-gate.tsx';

/** Administrators of this tenant administer the whole installation. */
const OF_ALL = 'default';

export function useIsInstallation(): boolean {
  const { user } = useSession();
  return user.isAdmin && user.tenant === OF_ALL;
}
