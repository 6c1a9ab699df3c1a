/** Stands in for the folder's tools while something is selected. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { useStore } from '../../api/store.ts';
import { Icon } from '../../parts/icons.tsx';
import { sizeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { useScreen } from './folder-screen.ts';
import { actionsFor } from './node-actions.ts';

export function SelectionBar(): ReactNode {
  const screen = useScreen();
  const { ids } = useStore(screen.selection);
  const { selected } = screen;
  if (ids.size === 0) return null;
  const sizeBytes = selected.reduce((sum, node) => sum + node.sizeBytes, 0);
  const actions = actionsFor(screen, selected).flat().filter(({ isInBar }) => isInBar);
  return (
    <div
      className="hf-selection" role="toolbar"
      aria-label={t('files.selected', { count: ids.size })}
    >
      <Tooltip label={t('files.clear')} withArrow>
        <ActionIcon
          variant="subtle" color="gray" aria-label={t('files.clear')} onClick={() => screen.clear()}
        >
          <Icon name="close" />
        </ActionIcon>
      </Tooltip>
      <span className="hf-selection-count" role="status">
        {t('files.selected', { count: ids.size })} <small>{sizeText(sizeBytes)}</small>
      </span>
      {actions.map(({ key, label, icon, isDanger, run }) => (
        <Button
          key={key} variant="subtle" size="compact-sm" onClick={run} aria-label={t(label)}
          color={isDanger === true ? 'red' : 'teal'} leftSection={<Icon name={icon} small />}
        >
          <span className="hf-wide-only">{t(label)}</span>
        </Button>
      ))}
    </div>
  );
}
