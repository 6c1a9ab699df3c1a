/** One entry among tiles: pictures show themselves. */
import { Checkbox } from '@mantine/core';
import { memo, useState } from 'react';
import type { ReactNode } from 'react';
import { contentHref } from '../../api/nodes.ts';
import type { FileNode } from '../../api/shapes.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { sizeText, timeText } from '../../texts/figures.ts';
import { t } from '../../texts/texts.ts';
import { EntryName, KindIcon, MoreButton, useEntryProps, useEntryState } from './entry-row.tsx';
import { useScreen } from './folder-screen.ts';
import { NodeMarks } from './node-marks.tsx';
import { RenameField } from './rename-field.tsx';

/** Larger pictures would be fetched whole only to be shown small. */
const PICTURE_BYTES_MAX = 3_000_000;

export const EntryTile = memo(function EntryTile({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const state = useEntryState(screen, node.id);
  const { isSelected, isActive, isCut, isRenaming } = state;
  return (
    <div
      {...useEntryProps(screen, node, state)}
      id={`entry-${node.id}`} role="gridcell" aria-selected={isSelected} className="hf-tile"
      {...(isActive && { 'data-active': '' })} {...(isCut && { 'data-cut': '' })}
    >
      <div className="hf-tile-face"><Face node={node} /></div>
      <div className="hf-check">
        <Checkbox
          size="xs" checked={isSelected} tabIndex={-1}
          aria-label={t('files.select', { name: node.name })} onChange={() => undefined}
          onClick={(event) => screen.toggle(node, event.shiftKey)}
        />
      </div>
      <div className="hf-tile-text">
        {isRenaming ? <RenameField node={node} /> : <EntryName node={node} />}
        <small className="hf-number">
          {node.kind === 'folder' ? timeText(node.modifiedAt) : sizeText(node.sizeBytes)}
        </small>
      </div>
      <NodeMarks node={node} />
      <MoreButton node={node} />
    </div>
  );
});

function Face({ node }: { readonly node: FileNode }): ReactNode {
  const [isBroken, setBroken] = useState(false);
  const isPicture = kindOf(node).preview === 'image' && node.sizeBytes <= PICTURE_BYTES_MAX;
  if (!isPicture || isBroken) return <KindIcon node={node} />;
  return (
    <img
      src={contentHref(node.id, 'inline')} alt="" loading="lazy" decoding="async" draggable={false}
      onError={() => setBroken(true)}
    />
  );
}
