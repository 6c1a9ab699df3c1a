/** What is shared, and the way to it. */
import type { ReactNode } from 'react';
import type { Share } from '../../../../src/wire/client.ts';
import { folderHref } from '../../parts/address.ts';
import { kindOf } from '../../parts/file-kind.ts';
import { Icon } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';

interface SharedProps {
  readonly share: Share;
}

export function SharedIcon({ share: { nodeKind, nodeName } }: SharedProps): ReactNode {
  const { icon, colour } = kindOf({ kind: nodeKind, name: nodeName });
  return <span className={`hf-kind hf-kind-${colour}`}><Icon name={icon} solid /></span>;
}

/** A folder is opened; a file is found in its folder. */
export function SharedName({ share: { nodeKind, nodeName, path } }: SharedProps): ReactNode {
  if (path === undefined) return <span className="hf-shared-name">{nodeName}</span>;
  const folder = nodeKind === 'folder' ? path : path.slice(0, path.lastIndexOf('/')) || '/';
  const name = path.slice(path.lastIndexOf('/') + 1);
  return <Link className="hf-shared-name" href={folderHref(folder)}>{name}</Link>;
}
