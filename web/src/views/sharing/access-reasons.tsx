/** Who can see something, and where that was said. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import type { FileNode } from '../../api/shapes.ts';
import type { AccessReason } from '../../../../src/wire/client.ts';
import { folderHref } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';
import { ErrorState, LoadingRows } from '../../parts/states.tsx';
import { useSession } from '../../shell/session-gate.tsx';
import { t } from '../../texts/texts.ts';
import { ACCESS_KEY } from './share-changes.ts';
import { dayText, iconOfKind } from './sharing-words.ts';

export interface AccessReasonsProps {
  readonly node: FileNode;
  /** Somebody has gone to where something was said. */
  readonly onLeave?: () => void;
}

/** Of a node that may be shared by whoever looks. */
export function AccessReasons({ node, onLeave }: AccessReasonsProps): ReactNode {
  const { user } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: [...ACCESS_KEY, node.id], retry: false,
    queryFn: ({ signal }) => api.explainAccess({ id: node.id }, { signal }),
  });
  if (data === undefined) {
    return error === null ? <LoadingRows count={2} />
      : <ErrorState error={error} retry={() => void refetch()} />;
  }
  if (data.items.length === 0) return <p className="hf-share-text">{t('sharing.onlyYouSee')}</p>;
  return (
    <ul className="hf-reasons">
      {data.items.map((reason, index) => (
        <li key={`${index}-${reason.at.nodeId}`}>
          <span className="hf-face"><Icon name={iconOfKind(reason.kind)} small /></span>
          <div>
            <span>{nameOf(reason, user.id)} <b>{t(`sharing.role.${reason.role}`)}</b></span>
            <small>
              <Why node={node} reason={reason} {...(onLeave && { onLeave })} />
              {reason.expiresAt !== undefined && (
                <> · {t('sharing.until', { day: dayText(reason.expiresAt) })}</>
              )}
            </small>
          </div>
        </li>
      ))}
    </ul>
  );
}

function nameOf({ kind, receiver, label }: AccessReason, myId: string): string {
  if (kind !== 'group' && receiver?.id === myId) return t('sharing.you');
  return receiver?.displayName ?? label ?? t(`access.${kind}`);
}

interface WhyProps extends AccessReasonsProps {
  readonly reason: AccessReason;
}

function Why({ node, reason, onLeave }: WhyProps): ReactNode {
  const { user } = useSession();
  const { kind, receiver, at: { nodeId, path } } = reason;
  if (kind === 'owner') {
    return t(receiver?.id === user.id ? 'sharing.whyYours' : 'sharing.whyOwner');
  }
  if (nodeId === node.id) return t('sharing.whyHere');
  if (path === undefined) return t('sharing.whyHidden');
  const name = path === '/' ? t('files.root') : path.slice(path.lastIndexOf('/') + 1);
  return (
    <>
      {t('sharing.whyAt')}{' '}
      <Link href={folderHref(path)} {...(onLeave && { onClick: onLeave })}>{name}</Link>
    </>
  );
}
