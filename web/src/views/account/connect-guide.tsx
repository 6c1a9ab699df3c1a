/** What is to be connected, how, and the app password for it. */
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import type { MadeDevice } from './account-keys.ts';
import { Fault } from './card.tsx';
import { CLIENTS } from './clients.ts';
import type { Client } from './clients.ts';
import { CopyLine } from './copy-line.tsx';
import { QrCode } from './qr-code.tsx';
import { fieldsOf, useAct } from './use-act.ts';

export interface ConnectGuideProps {
  readonly user: string;
  readonly done: () => void;
}

export function ConnectGuide({ user, done }: ConnectGuideProps): ReactNode {
  const [client, setClient] = useState<Client>();
  const [made, setMade] = useState<MadeDevice>();
  if (client === undefined) return <ClientChoice choose={setClient} />;
  const back = (): void => setClient(undefined);
  return (
    <div className="hf-form">
      <Steps client={client} isBrief={made !== undefined && client.hasQr} />
      {made === undefined && <Address client={client} />}
      {made !== undefined && <Credentials client={client} made={made} />}
      {made === undefined && !client.needsPassword && (
        <div className="hf-dialog-actions">
          <Button variant="default" onClick={back}>{t('connect.back')}</Button>
          <Button onClick={done}>{t('action.done')}</Button>
        </div>
      )}
      {made === undefined && client.needsPassword
        && <NameForm client={client} user={user} back={back} made={setMade} />}
      {made !== undefined && (
        <div className="hf-dialog-actions">
          <Button onClick={done}>{t('action.done')}</Button>
        </div>
      )}
    </div>
  );
}

function ClientChoice({ choose }: { readonly choose: (client: Client) => void }): ReactNode {
  return (
    <>
      <p className="hf-dialog-text">{t('connect.what')}</p>
      <ul className="hf-clients">
        {CLIENTS.map((client) => (
          <li key={client.name}>
            <button type="button" onClick={() => choose(client)}>
              <Icon name={client.icon} />
              <span>
                <strong>{t(client.title)}</strong>
                <small>{t(client.summary)}</small>
              </span>
              <Icon name="chevronRight" small />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Address({ client }: { readonly client: Client }): ReactNode {
  return <CopyLine label={t('connect.address')} value={client.address(location)} />;
}

/** `isBrief`: a code says all of it. */
function Steps(
  { client, isBrief }: { readonly client: Client; readonly isBrief: boolean },
): ReactNode {
  const isPlain = location.protocol === 'http:' && client.name === 'windows';
  return (
    <>
      <h3 className="hf-guide-title"><Icon name={client.icon} />{t(client.title)}</h3>
      {isPlain && <p className="hf-warning">{t('connect.needsTls')}</p>}
      {!isBrief && (
        <ol className="hf-steps">
          {client.steps.map((step) => <li key={step}>{t(step)}</li>)}
        </ol>
      )}
    </>
  );
}

function NameForm({ client, user, back, made }: {
  readonly client: Client; readonly user: string; readonly back: () => void;
  readonly made: (device: MadeDevice) => void;
}): ReactNode {
  const { isBusy, fault, run } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = fieldsOf(event.currentTarget)('name').trim();
    run(async () => made(await api.connectDevice({ body: { name } })));
  };
  return (
    <form className="hf-form" onSubmit={submit}>
      <TextInput
        name="name" label={t('connect.name')} defaultValue={t(client.deviceName)} required
        maxLength={120} withAsterisk={false} description={t('connect.nameText', { user })}
        autoComplete="off" data-autofocus
      />
      <Fault text={fault} />
      <div className="hf-dialog-actions">
        <Button variant="default" onClick={back}>{t('connect.back')}</Button>
        <Button type="submit" loading={isBusy}>{t('connect.make')}</Button>
      </div>
    </form>
  );
}

function Credentials(
  { client, made }: { readonly client: Client; readonly made: MadeDevice },
): ReactNode {
  const { user, password } = made;
  // As Nextcloud's apps read it, in this very order.
  const entry = `nc://login/user:${user}&password:${password}&server:${location.origin}`;
  return (
    <div className="hf-secret" role="status">
      <p className="hf-secret-lead">{t(client.hasQr ? 'connect.scan' : 'connect.once')}</p>
      {client.hasQr && (
        <>
          <QrCode label={t('connect.qrLabel')} text={entry} />
          <p className="hf-open-here"><a href={entry}>{t('connect.openHere')}</a></p>
        </>
      )}
      <Address client={client} />
      <CopyLine label={t('connect.user')} value={user} />
      <CopyLine label={t('connect.password')} value={password} />
    </div>
  );
}
