/** Above the entries: where one is, the filter, the layout, and all that makes new things. */
import { ActionIcon, Button, Menu, SegmentedControl, TextInput, Tooltip } from '@mantine/core';
import { useRef } from 'react';
import type { ReactNode, RefObject } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { useStore } from '../../api/store.ts';
import { hrefOf, useGo } from '../../parts/address.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { incomingOf } from '../../uploads/dropped-files.ts';
import { Breadcrumb } from './breadcrumb.tsx';
import { clipboard, paste } from './clipboard.ts';
import { upload } from './drag.ts';
import type { Layout } from './entries.tsx';
import { usePick, useScreen } from './folder-screen.ts';
import { SelectionBar } from './selection-bar.tsx';

export interface ToolbarProps {
  readonly path: string;
  readonly folder: FileNode | undefined;
  readonly nodes: readonly FileNode[];
  readonly isComplete: boolean;
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  readonly filterField: RefObject<HTMLInputElement | null>;
  readonly layout: Layout;
  readonly onLayout: (layout: Layout) => void;
}

export function Toolbar(props: ToolbarProps): ReactNode {
  const { path, folder } = props;
  return (
    <header className="hf-toolbar">
      <div className="hf-toolbar-line">
        <Breadcrumb path={path} />
        {folder?.may.create === true && <NewMenu folder={folder} />}
      </div>
      <div className="hf-toolbar-line hf-toolbar-tools">
        <SelectionBar />
        <Count {...props} />
        <Tools {...props} />
      </div>
    </header>
  );
}

function Count({ folder, nodes, isComplete }: ToolbarProps): ReactNode {
  const screen = useScreen();
  const isSelecting = usePick(screen.selection, ({ ids }) => ids.size > 0);
  if (isSelecting || folder === undefined) return null;
  const text = t(isComplete ? 'files.count' : 'files.countMore', { count: nodes.length });
  return <p className="hf-count hf-number" role="status">{text}</p>;
}

function Tools(
  { path, nodes, filter, onFilter, filterField, layout, onLayout }: ToolbarProps,
): ReactNode {
  const screen = useScreen();
  const go = useGo();
  const showsDetails = useStore(screen.showsDetails);
  return (
    <div className="hf-tools">
      <TextInput
        ref={filterField} className="hf-filter" size="sm" aria-label={t('files.filter')}
        placeholder={t('files.filter')} value={filter} leftSection={<Icon name="search" small />}
        onChange={(event) => onFilter(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onFilter('');
          if (event.key === 'Enter' && nodes.length === 0 && filter.trim() !== '') {
            go(hrefOf('/search', { q: filter }));
          } else if (['Escape', 'Enter', 'ArrowDown'].includes(event.key)) {
            document.getElementById('entries')?.focus();
            event.preventDefault();
          }
        }}
        rightSection={filter === '' ? <kbd className="hf-slash">/</kbd> : (
          <ActionIcon
            variant="subtle" color="gray" size="sm" aria-label={t('files.filterClear')}
            onClick={() => onFilter('')}
          >
            <Icon name="close" small />
          </ActionIcon>
        )}
      />
      <SegmentedControl
        size="xs" aria-label={t('files.layout')} value={layout} withItemsBorders={false}
        onChange={(value) => onLayout(value === 'grid' ? 'grid' : 'list')}
        data={(['list', 'grid'] as const).map((value) => ({
          value,
          label: (
            <>
              <Icon name={value} small />
              <span className="hf-hidden">{t(`files.${value}`)}</span>
            </>
          ),
        }))}
      />
      <Tooltip label={t('time.open')} withArrow>
        <ActionIcon
          variant="subtle" color="gray" size="lg" aria-label={t('time.openLabel')}
          onClick={() => go(hrefOf('/time', { path }))}
        >
          <Icon name="restore" />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t('files.details')} withArrow>
        <ActionIcon
          variant={showsDetails ? 'light' : 'subtle'} color={showsDetails ? 'teal' : 'gray'}
          size="lg" aria-label={t('files.details')} aria-pressed={showsDetails}
          onClick={() => screen.showsDetails.set(!showsDetails)}
        >
          <Icon name="info" />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

export function NewMenu({ folder }: { readonly folder: FileNode }): ReactNode {
  const screen = useScreen();
  const clip = useStore(clipboard);
  const { pickFiles, pickFolder, inputs } = usePickers(folder);
  return (
    <>
      {inputs}
      <Menu position="bottom-end" width={220} withinPortal shadow="md">
        <Menu.Target>
          <Button className="hf-new" leftSection={<Icon name="plus" small />}>
            {t('files.new')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<Icon name="folderPlus" small />}
            onClick={() => screen.asking.set({ kind: 'new-folder' })}
          >
            {t('files.newFolder')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="upload" small />} onClick={pickFiles}>
            {t('files.uploadFiles')}
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="folder" small />} onClick={pickFolder}>
            {t('files.uploadFolder')}
          </Menu.Item>
          {clip !== undefined && (
            <Menu.Item
              leftSection={<Icon name="clipboard" small />} onClick={() => void paste(folder)}
            >
              {t('files.paste')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

export interface Pickers {
  readonly pickFiles: () => void;
  readonly pickFolder: () => void;
  readonly inputs: ReactNode;
}

/** The browser's own windows for choosing files and folders. */
export function usePickers(folder: FileNode): Pickers {
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement): void => {
    if (input.files !== null) upload(folder, incomingOf(input.files));
    // The same file may be chosen again.
    Object.assign(input, { value: '' });
  };
  return {
    pickFiles: () => files.current?.click(),
    pickFolder: () => folders.current?.click(),
    inputs: (
      <>
        <input
          ref={files} type="file" multiple hidden aria-label={t('files.uploadFiles')}
          onChange={(event) => take(event.currentTarget)}
        />
        <input
          ref={folders} type="file" multiple hidden aria-label={t('files.uploadFolder')}
          {...{ webkitdirectory: '' }} onChange={(event) => take(event.currentTarget)}
        />
      </>
    ),
  };
}
