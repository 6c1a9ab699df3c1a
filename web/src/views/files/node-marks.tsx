import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';

/** Small signs behind a name. */
export function NodeMarks({ node }: { readonly node: FileNode }): ReactNode {
  const { isFavorite, isShared, isMount, lock } = node;
  const by = lock?.holderName ?? lock?.holder;
  return (
    <span className="hf-marks">
      {isFavorite && <Mark icon="star" label={t('files.favorite')} />}
      {(isShared || isMount) && (
        <Mark icon="shared" label={isMount ? t('files.mounted') : t('files.shared')} />
      )}
      {lock !== undefined && (
        <Mark
          icon="lock"
          label={by === undefined ? t('files.lockedPlain') : t('files.locked', { name: by })}
        />
      )}
    </span>
  );
}

function Mark({ icon, label }: { readonly icon: IconName; readonly label: string }): ReactNode {
  return (
    <Tooltip label={label} withArrow>
      <span role="img" aria-label={label}><Icon name={icon} small solid={icon === 'star'} /></span>
    </Tooltip>
  );
}
