/** Sharing in the details of an entry: who can see it, and the way to change that. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { AccessReasons } from './access-reasons.tsx';
import './reasons.css';

export interface SharingPartProps {
  readonly node: FileNode;
  readonly share: () => void;
}

export function SharingPart({ node, share }: SharingPartProps): ReactNode {
  // Whoever may not ask who sees it finds the reason in the window.
  return (
    <section className="hf-details-part">
      <h3>{t('details.access')}</h3>
      {node.may.share && <AccessReasons node={node} />}
      {node.path !== '/' && (
        <Button
          variant="light" size="compact-sm" mt={8} leftSection={<Icon name="shared" small />}
          onClick={share}
        >
          {t(node.may.share ? 'sharing.share' : 'sharing.whyShort')}
        </Button>
      )}
    </section>
  );
}
