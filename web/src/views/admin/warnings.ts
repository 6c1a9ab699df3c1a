/** What needs somebody, of all that the server tells; the most urgent first. Pure. */
import type {
  Disks, Health, QuotaRows, Storage, Verifiers,
} from '../../../../src/wire/client.ts';
import { hrefOf } from '../../parts/address.ts';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import type { NoticeProps } from './pieces.tsx';

/** What has not been asked, or not answered, is left out. */
export interface Known {
  readonly health: Health | undefined;
  readonly storage: Storage | undefined;
  readonly disks: Disks | undefined;
  readonly verifiers: Verifiers | undefined;
  readonly quotas: QuotaRows | undefined;
}

const FULL_SHARE = 0.9;
const NAMED_MAX = 3;

export function warningsOf(known: Known): NoticeProps[] {
  return [
    ...ofStorage(known), ...ofDisks(known), ...ofHealth(known), ...ofVerifiers(known),
    ...ofQuotas(known),
  ];
}

function warning(
  title: string, text: string, [part, next]: readonly [string, string],
): NoticeProps {
  return { tone: 'attention', title, text, href: hrefOf(`/admin/${part}`), next };
}

function ofStorage({ storage }: Known): NoticeProps[] {
  if (storage === undefined) return [];
  const { refusesWrites, damagedCount, waitingVolumes, copies, mirror } = storage;
  const toStorage = ['storage', t('admin.toStorage')] as const;
  const found: NoticeProps[] = [];
  if (refusesWrites !== undefined) {
    found.push(warning(t('admin.warnWrites'), t(`admin.warnWrites.${refusesWrites}`), toStorage));
  }
  if (damagedCount > 0) {
    found.push(warning(
      t('admin.warnDamaged', { count: damagedCount }), t('admin.warnDamagedText'),
      ['verifiers', t('admin.toVerifiers')],
    ));
  }
  if (waitingVolumes > 0) {
    found.push(warning(
      t('admin.warnWaiting', { count: waitingVolumes }), t('admin.warnWaitingText'), toStorage,
    ));
  }
  if (copies === 1 && mirror === undefined) {
    found.push(warning(t('admin.warnOneCopy'), t('admin.warnOneCopyText'), toStorage));
  }
  if (mirror?.isRefusing === true) {
    found.push(warning(t('admin.warnMirror'), t('admin.warnMirrorText'), toStorage));
  }
  return found;
}

function ofDisks({ disks }: Known): NoticeProps[] {
  const toStorage = ['storage', t('admin.toStorage')] as const;
  return (disks?.items ?? []).flatMap(({ where, answers, freeBytes, totalBytes }) => {
    if (!answers) {
      return [warning(t('admin.warnSilent', { where }), t('admin.warnSilentText'), toStorage)];
    }
    const isKnown = freeBytes !== undefined && totalBytes !== undefined;
    if (!isKnown || freeBytes > totalBytes * (1 - FULL_SHARE)) return [];
    const title = t('admin.warnFull', { where, free: sizeText(freeBytes) });
    return [warning(title, t('admin.warnFullText'), toStorage)];
  });
}

function ofHealth({ health }: Known): NoticeProps[] {
  if (health === undefined || health.closedTenants.length === 0) return [];
  const title = t('admin.warnClosed', { names: health.closedTenants.join(', ') });
  return [warning(title, t('admin.warnClosedText'), ['tenants', t('admin.toTenants')])];
}

function ofVerifiers({ verifiers }: Known): NoticeProps[] {
  if (verifiers === undefined || verifiers.openDamage === 0) return [];
  const title = t('admin.warnFindings', { count: verifiers.openDamage });
  return [warning(title, t('admin.warnFindingsText'), ['verifiers', t('admin.toVerifiers')])];
}

function ofQuotas({ quotas }: Known): NoticeProps[] {
  const full = (quotas?.items ?? []).filter(({ usedBytes, limitBytes }) =>
    limitBytes !== undefined && usedBytes >= limitBytes * FULL_SHARE);
  if (full.length === 0) return [];
  const names = full.slice(0, NAMED_MAX).map(({ subject }) => subject).join(', ');
  const title = t('admin.warnQuota', { count: full.length });
  return [warning(title, names, ['users', t('admin.toUsers')])];
}
