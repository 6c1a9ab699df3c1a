/** The own account: who somebody is, how they sign in, and what else signs in for them. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { hrefOf, useSearch } from '../../parts/address.ts';
import { Link } from '../../parts/link.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { t } from '../../texts/texts.ts';
import type { TextKey } from '../../texts/texts.ts';
import { ACCOUNT_KEY } from './account-keys.ts';
import type { Account } from './account-keys.ts';
import { DevicesPart } from './devices-part.tsx';
import { PasswordCard } from './password-card.tsx';
import { ProfilePart } from './profile-part.tsx';
import { SessionsCard } from './sessions-card.tsx';
import { TokensPart } from './tokens-part.tsx';
import { TwoStepCard } from './two-step-card.tsx';
import './account.css';

type PartProps = { readonly account: Account };
interface Part {
  readonly name: string;
  readonly label: TextKey;
  readonly show: (props: PartProps) => ReactNode;
}

const PARTS: readonly Part[] = [
  { name: 'profile', label: 'account.profile', show: ProfilePart },
  { name: 'security', label: 'account.security', show: SecurityPart },
  { name: 'devices', label: 'account.devices', show: DevicesPart },
  { name: 'tokens', label: 'account.tokens', show: TokensPart },
];

export function AccountView(): ReactNode {
  const { part: wanted } = useSearch();
  const part = PARTS.find(({ name }) => name === wanted) ?? PARTS[0];
  const { data: account, error, refetch } = useQuery({
    queryKey: ACCOUNT_KEY, queryFn: ({ signal }) => api.getAccount({ signal }),
  });
  useEffect(() => {
    document.title = `${t('account.title')} · ${t('app.name')}`;
  }, []);
  return (
    <div className="hf-account">
      <header className="hf-account-head">
        <h1>{t('account.title')}</h1>
        <nav className="hf-parts" aria-label={t('account.parts')}>
          {PARTS.map(({ name, label }) => (
            <Link
              key={name} href={hrefOf('/account', { part: name })}
              {...(name === part?.name && { 'aria-current': 'page' as const })}
            >
              {t(label)}
            </Link>
          ))}
        </nav>
      </header>
      <div className="hf-account-body" tabIndex={0} role="region" aria-label={t('account.title')}>
        {account === undefined && error !== null
          && <ErrorState error={error} retry={() => void refetch()} />}
        {account === undefined && error === null && <LoadingRows />}
        {account !== undefined && part !== undefined && <part.show account={account} />}
      </div>
    </div>
  );
}

function SecurityPart({ account }: PartProps): ReactNode {
  return (
    <>
      <TwoStepCard />
      <PasswordCard account={account} />
      <SessionsCard />
    </>
  );
}
